using System.Diagnostics.Metrics;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Engine.Http;

namespace Mesh.Engine.Telemetry;

/// <summary>What the engine counts, under the meter <c>Mesh.Engine</c>. Tags come from fixed sets, so their number is bounded.</summary>
internal sealed class EngineMetrics : IDisposable
{
    private readonly Meter _meter = new("Mesh.Engine");
    private readonly Counter<long> _scrapes;
    private readonly Histogram<double> _scrapeDuration;
    private readonly Counter<long> _probes;
    private readonly Counter<long> _healthChanges;
    private readonly Counter<long> _modelLists;
    private readonly Counter<long> _cacheKnowledge;

    public EngineMetrics()
    {
        _scrapes = _meter.CreateCounter<long>("mesh.engine.scrapes", "{scrape}", "Pages of metrics read, by outcome.");
        _scrapeDuration = _meter.CreateHistogram<double>("mesh.engine.scrape.duration", "s", "Time to read one page of metrics.");
        _probes = _meter.CreateCounter<long>("mesh.engine.probes", "{probe}", "Health probes, by outcome.");
        _healthChanges = _meter.CreateCounter<long>("mesh.engine.health.changes", "{change}", "Endpoints whose verdict changed, by the new one.");
        _modelLists = _meter.CreateCounter<long>("mesh.engine.model_lists", "{list}", "Model lists read, by outcome.");
        _cacheKnowledge = _meter.CreateCounter<long>(
            "mesh.engine.cache_knowledge.changes", "{change}", "Endpoints for which the source of what is known of their caches changed, by the new one.");
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
