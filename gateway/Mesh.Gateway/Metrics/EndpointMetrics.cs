using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Snapshots;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>What the engine knows of every endpoint, read when somebody asks.</summary>
internal static class EndpointMetrics
{
    private static readonly ImmutableArray<MetricLabel> Labels =
    [
        RequestMetricDefinitions.Pool, RequestMetricDefinitions.Region, RequestMetricDefinitions.Cluster, new("zone", "cloud.availability_zone"),
        new("endpoint", "mesh.endpoint"),
    ];

    /// <summary>All of them, in the order of the page.</summary>
    public static ImmutableArray<IMetricSource> All { get; } =
    [
        Gauge("mesh_endpoint_healthy", "mesh.endpoint.healthy", "1", "1 when the endpoint's probes succeed, else 0.", static (e, _) => e.Health == EndpointHealth.Healthy ? 1 : 0),
        Gauge("mesh_endpoint_draining", "mesh.endpoint.draining", "1", "1 while the endpoint, which the manifests no longer have, finishes its requests, else 0.", static (e, _) => e.Draining ? 1 : 0),
        Gauge("mesh_endpoint_drained", "mesh.endpoint.drained", "1", "1 while an operator drains the endpoint, else 0.", static (e, _) => e.Drained ? 1 : 0),
        Gauge("mesh_endpoint_ejected", "mesh.endpoint.ejected", "1", "1 while the endpoint is left alone for failing requests, else 0.", static (e, t) => e.EjectedUntil > t.GetTimestamp() ? 1 : 0),
        Counter("mesh_endpoint_ejections_total", "mesh.endpoint.ejections", "{ejection}", "Times that the endpoint was ejected.", static (e, _) => e.Ejections),
        Gauge("mesh_endpoint_ramp_ratio", "mesh.endpoint.ramp", "1", "Share of its usual requests that the endpoint gets: rises to 1 over the slow-start window when it is new or has come back.", static (e, _) => e.Ramp),
        Gauge("mesh_endpoint_in_flight_requests", "mesh.endpoint.in_flight_requests", "{request}", "Requests in flight at the endpoint.", static (e, _) => e.InFlightRequests),
        Gauge("mesh_endpoint_in_flight_tokens", "mesh.endpoint.in_flight_tokens", "{token}", "Prompt and expected output tokens in flight at the endpoint.", static (e, _) => e.InFlightTokens),
        Gauge("mesh_endpoint_waiting_requests", "mesh.endpoint.waiting_requests", "{request}", "Requests that wait in the pool for this endpoint.", static (e, _) => e.WaitingRequests),
        Gauge("mesh_endpoint_predicted_wait_seconds", "mesh.endpoint.predicted_wait", "s", "Predicted time until a prompt sent now would begin to be computed.", static (e, _) => e.PredictedWaitMs / 1000),
        Gauge("mesh_endpoint_failure_load_requests", "mesh.endpoint.failure_load", "{request}", "Requests in flight that recent failures are counted as.", static (e, _) => e.FailureLoadRequests),
        Counter("mesh_endpoint_requests_total", "mesh.endpoint.requests", "{request}", "Requests sent to the endpoint.", static (e, _) => e.TotalRequests),
        Gauge("mesh_endpoint_kv_cache_utilization_ratio", "mesh.endpoint.kv_cache_utilization", "1", "Share of the endpoint's KV cache in use, as last scraped; absent while unknown.", static (e, _) => e.LastSample?.KvUtilizationRatio),
        Gauge("mesh_endpoint_engine_running_requests", "mesh.endpoint.engine.running_requests", "{request}", "Requests in the engine's batch, as last scraped; absent while unknown.", static (e, _) => e.LastSample?.RunningRequests),
        Gauge("mesh_endpoint_engine_waiting_requests", "mesh.endpoint.engine.waiting_requests", "{request}", "Requests in the engine's own queue, as last scraped; absent while unknown.", static (e, _) => e.LastSample?.WaitingRequests),
        Gauge("mesh_endpoint_sample_age_seconds", "mesh.endpoint.sample_age", "s", "Age of the last sample of the endpoint's own metrics; absent before the first.", static (e, _) => e.SampleAge?.TotalSeconds),
        Gauge("mesh_endpoint_prefill_speed_ratio", "mesh.endpoint.prefill_speed", "1", "Learned: the endpoint's prompt times over those of the step-time table.", static (e, _) => e.PrefillSpeedRatio),
        Gauge("mesh_endpoint_decode_speed_ratio", "mesh.endpoint.decode_speed", "1", "Learned: the endpoint's times per output token over those of the step-time table.", static (e, _) => e.DecodeSpeedRatio),
        Gauge("mesh_endpoint_cache_knowledge", "mesh.endpoint.cache_knowledge", "1", "Where what is known of the endpoint's cache comes from: 0 history, 1 degraded, 2 exact.", static (e, _) => (int)e.CacheKnowledge),
        Counter("mesh_endpoint_cache_knowledge_changes_total", "mesh.endpoint.cache_knowledge.changes", "{change}", "Changes of where what is known of the endpoint's cache comes from.", static (e, _) => e.CacheKnowledgeChanges),
        Gauge("mesh_endpoint_cached_blocks", "mesh.endpoint.cached_blocks", "{block}", "Blocks that the endpoint's cache holds by its own events; absent without events.", static (e, _) => e.CacheKnowledge == CacheKnowledge.History ? null : e.CachedBlocks),
    ];

    private static ObservedMetric Gauge(string page, string meter, string unit, string meaning, Func<EndpointSnapshot, TimeProvider, double?> read) =>
        Observed(MetricKind.Gauge, page, meter, unit, meaning, read);

    private static ObservedMetric Counter(string page, string meter, string unit, string meaning, Func<EndpointSnapshot, TimeProvider, double?> read) =>
        Observed(MetricKind.Counter, page, meter, unit, meaning, read);

    private static ObservedMetric Observed(
        MetricKind kind, string page, string meter, string unit, string meaning, Func<EndpointSnapshot, TimeProvider, double?> read) =>
        new(
            new MetricDefinition { PageName = page, MeterName = meter, Kind = kind, Unit = unit, Meaning = meaning, Labels = Labels },
            (reading, sink) => Collect(reading, sink, read));

    private static void Collect(Reading reading, IMetricSink sink, Func<EndpointSnapshot, TimeProvider, double?> read)
    {
        foreach (var pool in reading.Pools)
        {
            var label = pool.Id.ToString();
            foreach (var backend in pool.Backends)
            {
                foreach (var endpoint in backend.Endpoints)
                {
                    if (read(endpoint, reading.Time) is { } value) sink.Sample([label, backend.Region, backend.Id.Cluster, backend.Id.Zone, endpoint.Id.Address], value);
                }
            }
        }
    }
}
