using System.Diagnostics.Metrics;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Engine.Http;

namespace Mesh.Engine.Telemetry;

/// <summary>What the engine counts, under the meter <c>Mesh.Engine</c>.</summary>
internal sealed class EngineMetrics : IDisposable
{
    private readonly Meter _meter;
    private readonly Counter<long> _scrapes;
    private readonly Histogram<double> _scrapeDuration;
    private readonly Counter<long> _probes;
    private readonly Counter<long> _healthChanges;
    private readonly Counter<long> _modelLists;
    private readonly Counter<long> _cacheKnowledge;

    /// <param name="scope">Scope of the meter: the engine that counts; null for none.</param>
    public EngineMetrics(object? scope = null)
    {
        _meter = new Meter(EngineInstruments.MeterName, version: null, tags: null, scope);
        _scrapes = Counter(EngineInstruments.Scrapes);
        var duration = EngineInstruments.ScrapeDuration;
        _scrapeDuration = _meter.CreateHistogram(
            duration.MeterName!, duration.Unit, duration.Meaning, null, new InstrumentAdvice<double> { HistogramBucketBoundaries = duration.Bounds });
        _probes = Counter(EngineInstruments.Probes);
        _healthChanges = Counter(EngineInstruments.HealthChanges);
        _modelLists = Counter(EngineInstruments.ModelLists);
        _cacheKnowledge = Counter(EngineInstruments.CacheKnowledgeChanges);
    }

    public void CacheKnowledgeChanged(CacheKnowledge to) => _cacheKnowledge.Add(1, new KeyValuePair<string, object?>("state", to switch
    {
        CacheKnowledge.Exact => "exact",
        CacheKnowledge.Degraded => "degraded",
        _ => "history",
    }));

    public void Scraped(IoFailureKind failure, TimeSpan duration)
    {
        _scrapes.Add(1, new KeyValuePair<string, object?>("outcome", Outcome(failure)));
        _scrapeDuration.Record(duration.TotalSeconds);
    }

    public void Probed(IoFailureKind failure) => _probes.Add(1, new KeyValuePair<string, object?>("outcome", Outcome(failure)));

    public void Listed(IoFailureKind failure) => _modelLists.Add(1, new KeyValuePair<string, object?>("outcome", Outcome(failure)));

    public void HealthChanged(EndpointHealth to) => _healthChanges.Add(1, new KeyValuePair<string, object?>("state", to switch
    {
        EndpointHealth.Healthy => "healthy",
        EndpointHealth.Unhealthy => "unhealthy",
        _ => "unknown",
    }));

    public void Dispose() => _meter.Dispose();

    private Counter<long> Counter(MetricDefinition definition) => _meter.CreateCounter<long>(definition.MeterName!, definition.Unit, definition.Meaning);

    private static string Outcome(IoFailureKind failure) => failure switch
    {
        IoFailureKind.None => "success",
        IoFailureKind.Connect => "connect",
        IoFailureKind.Timeout => "timeout",
        IoFailureKind.Broken => "broken",
        IoFailureKind.Status => "status",
        IoFailureKind.TooLarge => "too_large",
        _ => "malformed",
    };
}
