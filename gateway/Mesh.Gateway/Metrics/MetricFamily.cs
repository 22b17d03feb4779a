using System.Collections.Concurrent;
using System.Collections.Immutable;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>
/// The series of one metric by the values of its labels. Bounded: when full, new combinations count together under <c>other</c>, and
/// <see cref="Overflows"/> tells how often. Thread-safe; finding a series that exists allocates nothing.
/// </summary>
/// <typeparam name="T">Counter or histogram.</typeparam>
internal sealed class MetricFamily<T>(MetricDefinition definition, Func<T> create) : IMetricSource, IOverflowing
    where T : class
{
    /// <summary>Most series of one metric.</summary>
    public const int MaxSeries = 2000;

    /// <summary>Value of every label of the series beyond the bound.</summary>
    public const string Other = "other";

    private readonly ConcurrentDictionary<LabelValues, T> _series = new();
    private int _count;
    private long _overflows;

    public MetricDefinition Definition => definition;

    public long Overflows => Interlocked.Read(ref _overflows);

    /// <summary>The series of these values; unused ones stay empty.</summary>
    public T With(string first = "", string second = "", string third = "", string fourth = "")
    {
        var key = new LabelValues(first, second, third, fourth);
        return _series.TryGetValue(key, out var known) ? known : Add(key);
    }

    /// <summary>All series in the order of their values.</summary>
    public ImmutableArray<(LabelValues Values, T Series)> Sorted()
    {
        var all = _series.ToArray();
        Array.Sort(all, static (a, b) => a.Key.CompareTo(b.Key));
        return [.. all.Select(p => (p.Key, p.Value))];
    }

    public void Collect(Reading reading, IMetricSink sink)
    {
        foreach (var (values, series) in Sorted())
        {
            ReadOnlySpan<string> span = [values.First, values.Second, values.Third, values.Fourth];
            if (series is Counter counter) sink.Sample(span, counter.Value);
            else if (series is Histogram histogram) sink.Distribution(span, histogram);
        }
    }

    private T Add(LabelValues key)
    {
        // Several that come at once may pass the bound by as many as there are threads, never more.
        if (Volatile.Read(ref _count) >= MaxSeries)
        {
            Interlocked.Increment(ref _overflows);
            return _series.GetOrAdd(new LabelValues(OtherAt(0), OtherAt(1), OtherAt(2), OtherAt(3)), static (_, make) => make(), create);
        }

        var made = create();
        var kept = _series.GetOrAdd(key, made);
        if (ReferenceEquals(kept, made)) Interlocked.Increment(ref _count);
        return kept;
    }

    private string OtherAt(int label) => label < definition.Labels.Length ? Other : "";
}

/// <summary>A metric whose series are bounded.</summary>
internal interface IOverflowing
{
    /// <summary>The metric.</summary>
    MetricDefinition Definition { get; }

    /// <summary>How often a combination of label values beyond the bound was asked for.</summary>
    long Overflows { get; }
}
