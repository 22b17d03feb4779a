using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Mesh.Engine;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>Keeps what the engine's meter counts, for the page. The engine's instruments stay off the request path, so listening costs it nothing.</summary>
internal sealed class EngineMeterReader : IDisposable
{
    private readonly MeterListener _listener = new();
    private readonly Dictionary<string, IMetricSource> _byName = [];

    public EngineMeterReader(IMeshEngine engine)
    {
        foreach (var definition in EngineInstruments.All)
        {
            _byName.Add(definition.MeterName!, definition.Kind == MetricKind.Histogram ? GatewayMetrics.Histograms(definition) : GatewayMetrics.Counters(definition));
        }

        Sources = [.. EngineInstruments.All.Select(d => _byName[d.MeterName!])];
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            // Other engines of this process have meters of the same name.
            if (instrument.Meter.Name != EngineInstruments.MeterName || !ReferenceEquals(instrument.Meter.Scope, engine)) return;
            if (_byName.TryGetValue(instrument.Name, out var source)) listener.EnableMeasurementEvents(instrument, source);
        };
        _listener.SetMeasurementEventCallback<long>(static (_, value, tags, source) => ((MetricFamily<Counter>)source!).With(Value(tags)).Add(value));
        _listener.SetMeasurementEventCallback<double>(
            static (_, value, tags, source) => ((MetricFamily<Histogram>)source!).With(Value(tags)).Observe(TimeSpan.FromSeconds(value)));
        _listener.Start();
    }

    /// <summary>Series of the engine's instruments, in the order of their definitions.</summary>
    public ImmutableArray<IMetricSource> Sources { get; }

    public void Dispose() => _listener.Dispose();

    private static string Value(ReadOnlySpan<KeyValuePair<string, object?>> tags) => tags.IsEmpty ? "" : tags[0].Value as string ?? "";
}
