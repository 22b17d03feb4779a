using System.Collections.Immutable;

namespace Mesh.Engine.Telemetry;

/// <summary>The metrics of the meter <c>Mesh.Engine</c>. Label values come from fixed sets, so their number is bounded.</summary>
public static class EngineInstruments
{
    /// <summary>Name of the meter. Its scope is the engine that counts, so that a listener can tell several engines of one process apart.</summary>
    public const string MeterName = "Mesh.Engine";

    private static readonly ImmutableArray<MetricLabel> Outcome = [new("outcome", "outcome")];
    private static readonly ImmutableArray<MetricLabel> State = [new("state", "state")];

    /// <summary>Pages of metrics read.</summary>
    public static MetricDefinition Scrapes { get; } = Counter("mesh_engine_scrapes_total", "mesh.engine.scrapes", "{scrape}", "Pages of metrics read from endpoints, by outcome.", Outcome);

    /// <summary>Time that a page takes.</summary>
    public static MetricDefinition ScrapeDuration { get; } = new()
    {
        PageName = "mesh_engine_scrape_duration_seconds",
        MeterName = "mesh.engine.scrape.duration",
        Kind = MetricKind.Histogram,
        Unit = "s",
        Meaning = "Time to read one page of metrics.",
        Bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    };

    /// <summary>Health probes.</summary>
    public static MetricDefinition Probes { get; } = Counter("mesh_engine_probes_total", "mesh.engine.probes", "{probe}", "Health probes, by outcome.", Outcome);

    /// <summary>Verdicts that changed.</summary>
    public static MetricDefinition HealthChanges { get; } = Counter(
        "mesh_engine_health_changes_total", "mesh.engine.health.changes", "{change}", "Endpoints whose verdict changed, by the new one.", State);

    /// <summary>Model lists read.</summary>
    public static MetricDefinition ModelLists { get; } = Counter("mesh_engine_model_lists_total", "mesh.engine.model_lists", "{list}", "Model lists read from endpoints, by outcome.", Outcome);

    /// <summary>Where what is known of caches comes from, changed.</summary>
    public static MetricDefinition CacheKnowledgeChanges { get; } = Counter(
        "mesh_engine_cache_knowledge_changes_total", "mesh.engine.cache_knowledge.changes", "{change}",
        "Endpoints for which the source of what is known of their caches changed, by the new one.", State);

    /// <summary>All of them.</summary>
    public static ImmutableArray<MetricDefinition> All { get; } = [Scrapes, ScrapeDuration, Probes, HealthChanges, ModelLists, CacheKnowledgeChanges];

    private static MetricDefinition Counter(string page, string meter, string unit, string meaning, ImmutableArray<MetricLabel> labels) =>
        new() { PageName = page, MeterName = meter, Kind = MetricKind.Counter, Unit = unit, Meaning = meaning, Labels = labels };
}
