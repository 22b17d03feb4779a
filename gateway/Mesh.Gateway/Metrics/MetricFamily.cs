using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Mesh.Gateway.Metrics;

/// <summary>The series of one metric by the values of at most three labels. Bounded: when full, new combinations count under <c>other</c>.</summary>
/// <typeparam name="T">Counter or histogram.</typeparam>
internal sealed class MetricFamily<T>(string name, string help, ImmutableArray<string> labels, Func<T> create)
    where T : class
{
    /// <summary>Most series of one metric.</summary>
    public const int MaxSeries = 2000;

    private const string Other = "other";

    private readonly ConcurrentDictionary<(string, string, string), T> _series = new();
    private int _count;

    public string Name => name;

    public string Help => help;

    /// <summary>Label names, as many as values are used.</summary>
    public ImmutableArray<string> Labels => labels;

    /// <summary>The series of these values; unused ones stay empty.</summary>
    public T With(string first = "", string second = "", string third = "")
    {
        var key = (first, second, third);
        return _series.TryGetValue(key, out var known) ? known : Add(key);
    }

    /// <summary>All series in the order of their values.</summary>
    public ImmutableArray<((string First, string Second, string Third) Values, T Series)> Sorted()
    {
        var all = _series.ToArray();
        Array.Sort(all, static (a, b) => Compare(a.Key, b.Key));
        return [.. all.Select(p => (p.Key, p.Value))];
    }

    private T Add((string, string, string) key)
    {
        if (Interlocked.Increment(ref _count) > MaxSeries) key = (OtherAt(0), OtherAt(1), OtherAt(2));
        return _series.GetOrAdd(key, static (_, make) => make(), create);
    }

    private string OtherAt(int label) => label < labels.Length ? Other : "";

    private static int Compare((string, string, string) a, (string, string, string) b)
    {
        var c = string.CompareOrdinal(a.Item1, b.Item1);
        if (c == 0) c = string.CompareOrdinal(a.Item2, b.Item2);
        return c == 0 ? string.CompareOrdinal(a.Item3, b.Item3) : c;
    }
}
