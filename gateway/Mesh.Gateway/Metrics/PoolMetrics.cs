using System.Collections.Immutable;
using System.Globalization;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>What the engine knows of pools and their backends, read when somebody asks.</summary>
internal static class PoolMetrics
{
    private static readonly MetricLabel Zone = new("zone", "cloud.availability_zone");
    private static readonly MetricLabel Port = new("port", "mesh.port");
    private static readonly MetricLabel Metric = new("metric", "mesh.metric");
    private static readonly MetricLabel Of = new("of", "mesh.of");

    private static readonly ImmutableArray<MetricLabel> PoolLabels = [RequestMetricDefinitions.Pool];
    private static readonly ImmutableArray<MetricLabel> ShardLabels = [RequestMetricDefinitions.Pool, new("shard", "mesh.shard")];
    private static readonly ImmutableArray<MetricLabel> BandLabels = [RequestMetricDefinitions.Pool, RequestMetricDefinitions.Priority];
    private static readonly ImmutableArray<MetricLabel> PredictionLabels = [RequestMetricDefinitions.Pool, Of];
    private static readonly ImmutableArray<MetricLabel> BackendLabels =
        [RequestMetricDefinitions.Pool, RequestMetricDefinitions.Region, RequestMetricDefinitions.Cluster, Zone, Port];

    /// <summary>All of them, in the order of the page.</summary>
    public static ImmutableArray<IMetricSource> All { get; } =
    [
        Pool("mesh_pool_leases", "mesh.pool.leases", "{lease}", "Leases that are out: requests that the engine has placed and not had back.", static p => p.Leases),
        Pool("mesh_pool_shards", "mesh.pool.shards", "{shard}", "Shards that the pool is divided into, 1 where it is not.", static p => Math.Max(1, p.Shards.Length)),
        Shard("mesh_pool_shard_endpoints", "mesh.pool.shard.endpoints", "{endpoint}", "Healthy endpoints of a shard; absent where the pool is not divided.", static s => s.HealthyEndpoints),
        Shard("mesh_pool_shard_leases", "mesh.pool.shard.leases", "{lease}", "Leases that a shard has out; absent where the pool is not divided.", static s => s.Leases),
        Shard("mesh_pool_shard_queue_requests", "mesh.pool.shard.queue.requests", "{request}", "Requests that wait with a shard; absent where the pool is not divided.", static s => s.WaitingRequests),
        Band("mesh_queue_requests", "mesh.queue.requests", "{request}", "Requests that wait for a place, by priority; absent for priorities of which none waits.", static b => b.Requests),
        Band("mesh_queue_flows", "mesh.queue.flows", "{flow}", "Fairness ids over which the waiting requests are spread, by priority.", static b => b.Flows),
        Band("mesh_queue_oldest_wait_seconds", "mesh.queue.oldest_wait", "s", "How long the request that came first has waited, by priority.", static b => b.OldestWait.TotalSeconds),
        Prediction("mesh_predictions_total", "mesh.predictions", "{prediction}", "Predicted times that came to an end, by what was predicted.", static p => p.Count),
        Prediction("mesh_prediction_observed_seconds_total", "mesh.prediction.observed", "s", "Sum of the times that were observed.", static p => p.ObservedMs / 1000),
        Prediction("mesh_prediction_error_seconds_total", "mesh.prediction.error", "s", "Sum of the differences between observed and predicted times, without sign.", static p => p.AbsoluteErrorMs / 1000),
        Backend("mesh_backend_endpoints", "mesh.backend.endpoints", "{endpoint}", "Endpoints of the backend, draining ones included.", static b => b.Endpoints.Length),
        Backend("mesh_backend_ready_endpoints", "mesh.backend.ready_endpoints", "{endpoint}", "Endpoints that can be sent requests: healthy, and neither removed nor drained.", static b => ReadyIn(b)),
        Backend("mesh_backend_in_flight_requests", "mesh.backend.in_flight_requests", "{request}", "Requests in flight at the backend.", static b => b.InFlightRequests),
        Backend("mesh_backend_target_in_flight_requests", "mesh.backend.target_in_flight_requests", "{request}", "Target of concurrent requests; absent where the policy sets none.", static b => b.TargetInFlight),
        Backend("mesh_backend_requests_per_second", "mesh.backend.request_rate", "{request}/s", "Requests placed per second, over the last second.", static b => b.RequestsPerSecond),
        Backend("mesh_backend_target_requests_per_second", "mesh.backend.target_request_rate", "{request}/s", "Target of requests per second; absent where the policy sets none.", static b => b.TargetRatePerSecond),
        Backend("mesh_backend_fullness_ratio", "mesh.backend.fullness", "1", "Load over target, 1 being at target; absent without a target and while the load is unknown.", static b => b.Fullness),
        Backend("mesh_backend_drained", "mesh.backend.drained", "1", "1 while auto-capacity drain keeps new requests away, else 0.", static b => b.Drained ? 1 : 0),
        new ObservedMetric(
            Gauge("mesh_backend_utilization_ratio", "mesh.backend.utilization", "1", "Mean of a custom metric of the policy over the endpoints that report it; absent while none does.", [.. BackendLabels, Metric]),
            CollectUtilizations),
        Cache(MetricKind.Gauge, "mesh_pool_cache_mappings", "mesh.pool.cache.mappings", "{mapping}", "Places of prompts that are known in the endpoints' terms; absent without cache events.", static c => c.Mappings),
        Cache(MetricKind.Counter, "mesh_pool_cache_blocks_dropped_total", "mesh.pool.cache.blocks_dropped", "{block}", "Blocks that cache events told but that could not be kept.", static c => c.Dropped),
        Cache(MetricKind.Counter, "mesh_pool_cache_requests_learned_total", "mesh.pool.cache.requests_learned", "{request}", "Requests that were matched with the blocks they left behind.", static c => c.Learning.Learned + c.Learning.Corrected),
        Cache(
            MetricKind.Counter, "mesh_pool_cache_requests_unlearned_total", "mesh.pool.cache.requests_unlearned", "{request}",
            "Requests that could not be matched: ambiguous, without a trace, or against what is known.",
            static c => c.Learning.Ambiguous + c.Learning.Unmatched + c.Learning.Contradicted),
    ];

    /// <summary>Endpoints that can be sent requests.</summary>
    private static int ReadyIn(BackendSnapshot backend)
    {
        var ready = 0;
        foreach (var endpoint in backend.Endpoints)
        {
            if (endpoint is { Health: EndpointHealth.Healthy, Draining: false, Drained: false }) ready++;
        }

        return ready;
    }

    private static ObservedMetric Pool(string page, string meter, string unit, string meaning, Func<PoolSnapshot, double> read) =>
        new(Gauge(page, meter, unit, meaning, PoolLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools) sink.Sample([pool.Id.ToString()], read(pool));
        });

    private static ObservedMetric Shard(string page, string meter, string unit, string meaning, Func<ShardSnapshot, double> read) =>
        new(Gauge(page, meter, unit, meaning, ShardLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools)
            {
                if (pool.Shards.IsDefaultOrEmpty) continue;
                foreach (var shard in pool.Shards) sink.Sample([pool.Id.ToString(), Text(shard.Shard)], read(shard));
            }
        });

    private static ObservedMetric Cache(MetricKind kind, string page, string meter, string unit, string meaning, Func<CacheEventsSnapshot, double> read) =>
        new(Definition(kind, page, meter, unit, meaning, PoolLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools)
            {
                if (pool.CacheEvents is { } events) sink.Sample([pool.Id.ToString()], read(events));
            }
        });

    private static ObservedMetric Band(string page, string meter, string unit, string meaning, Func<QueueBandSnapshot, double> read) =>
        new(Gauge(page, meter, unit, meaning, BandLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools)
            {
                foreach (var band in pool.Queue) sink.Sample([pool.Id.ToString(), Text(band.Priority)], read(band));
            }
        });

    private static ObservedMetric Prediction(string page, string meter, string unit, string meaning, Func<PredictionSnapshot, double> read) =>
        new(Definition(MetricKind.Counter, page, meter, unit, meaning, PredictionLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools)
            {
                sink.Sample([pool.Id.ToString(), "first_token"], read(pool.FirstTokenPredictions));
                sink.Sample([pool.Id.ToString(), "output_token"], read(pool.OutputTokenPredictions));
            }
        });

    private static ObservedMetric Backend(string page, string meter, string unit, string meaning, Func<BackendSnapshot, double?> read) =>
        new(Gauge(page, meter, unit, meaning, BackendLabels), (reading, sink) =>
        {
            foreach (var pool in reading.Pools)
            {
                var label = pool.Id.ToString();
                foreach (var backend in pool.Backends)
                {
                    if (read(backend) is { } value) sink.Sample([label, backend.Region, backend.Id.Cluster, backend.Id.Zone, Text(backend.Id.Port)], value);
                }
            }
        });

    private static void CollectUtilizations(Reading reading, IMetricSink sink)
    {
        foreach (var pool in reading.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                var metrics = backend.Settings.CustomMetrics;
                for (var i = 0; i < backend.Utilizations.Length && i < metrics.Length; i++)
                {
                    if (backend.Utilizations[i] is not { } value) continue;
                    sink.Sample([pool.Id.ToString(), backend.Region, backend.Id.Cluster, backend.Id.Zone, Text(backend.Id.Port), metrics[i].ExportName], value);
                }
            }
        }
    }

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static MetricDefinition Gauge(string page, string meter, string unit, string meaning, ImmutableArray<MetricLabel> labels) =>
        Definition(MetricKind.Gauge, page, meter, unit, meaning, labels);

    private static MetricDefinition Definition(MetricKind kind, string page, string meter, string unit, string meaning, ImmutableArray<MetricLabel> labels) =>
        new() { PageName = page, MeterName = meter, Kind = kind, Unit = unit, Meaning = meaning, Labels = labels };
}
