using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Mesh.Engine;
using Mesh.Engine.Telemetry;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Telemetry;

/// <summary>
/// The meter <c>Mesh.Gateway</c>. What the gateway counts and what the engine knows are observable instruments over the very series that the
/// Prometheus page shows, read when a listener collects; durations are histograms of their own (<see cref="ConventionInstruments"/>).
/// </summary>
internal sealed class MeterBridge : IDisposable
{
    /// <summary>Name of the meter.</summary>
    public const string MeterName = "Mesh.Gateway";

    // A listener collects instrument after instrument: one look at the engine serves them all.
    private static readonly TimeSpan ReadingMaxAge = TimeSpan.FromMilliseconds(500);

    private readonly IMeshEngine _engine;
    private readonly TimeProvider _time;
    private readonly Lock _reading = new();
    private Reading? _last;
    private long _lastAt;

    /// <param name="owner">Scope of the meter, for listeners that want one gateway of several.</param>
    /// <param name="engine">Engine to look at.</param>
    /// <param name="time">Clock.</param>
    public MeterBridge(object owner, IMeshEngine engine, TimeProvider time)
    {
        _engine = engine;
        _time = time;
        Meter = new Meter(MeterName, version: null, tags: null, scope: owner);
        Conventions = new ConventionInstruments(Meter);
    }

    /// <summary>The meter.</summary>
    public Meter Meter { get; }

    /// <summary>Instruments of the conventions.</summary>
    public ConventionInstruments Conventions { get; }

    /// <summary>Makes an observable instrument of every source that is a count or a gauge.</summary>
    public void Observe(ImmutableArray<IMetricSource> sources)
    {
        foreach (var source in sources)
        {
            var definition = source.Definition;
            if (definition.MeterName is not { } name) continue;
            if (definition.Kind == MetricKind.Counter) Meter.CreateObservableCounter(name, () => Read(source), definition.Unit, definition.Meaning);
            else if (definition.Kind == MetricKind.Gauge) Meter.CreateObservableGauge(name, () => Read(source), definition.Unit, definition.Meaning);
        }
    }

    public void Dispose() => Meter.Dispose();

    private List<Measurement<double>> Read(IMetricSource source)
    {
        var measured = new MeasurementSink(source.Definition);
        source.Collect(Reading(), measured);
        return measured.All;
    }

    private Reading Reading()
    {
        lock (_reading)
        {
            if (_last is null || _time.GetElapsedTime(_lastAt) > ReadingMaxAge)
            {
                _last = new Reading(_engine.Snapshot(), _time);
                _lastAt = _time.GetTimestamp();
            }

            return _last;
        }
    }

    private sealed class MeasurementSink(MetricDefinition definition) : IMetricSink
    {
        public List<Measurement<double>> All { get; } = [];

        public void Sample(ReadOnlySpan<string> values, double value)
        {
            if (All.Count >= PrometheusWriter.MaxSeries) return;
            var tags = new KeyValuePair<string, object?>[definition.Labels.Length];
            for (var i = 0; i < tags.Length; i++) tags[i] = new(definition.Labels[i].AttributeName, values[i]);
            All.Add(new Measurement<double>(value, tags));
        }

        public void Distribution(ReadOnlySpan<string> values, Histogram histogram)
        {
            // Meters have no observable histograms.
        }
    }
}
