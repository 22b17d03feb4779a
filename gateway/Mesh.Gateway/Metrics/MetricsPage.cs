using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Metrics;

/// <summary><c>/metrics</c>: the gateway's counters and the engine's view of every endpoint.</summary>
internal sealed class MetricsPage(GatewayMetrics metrics, IMeshEngine engine, ActiveConfiguration configuration, InferenceHandler inference)
{
    private static readonly string[] PoolLabels = ["pool"];
    private static readonly string[] EndpointLabels = ["pool", "cluster", "zone", "endpoint"];

    public async Task HandleAsync(HttpContext context)
    {
        var bytes = Encoding.UTF8.GetBytes(Render());
        context.Response.ContentType = PrometheusWriter.ContentType;
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(bytes);
    }

    internal string Render()
    {
        var page = new PrometheusWriter();
        page.Write(metrics.Requests);
        page.Write(metrics.Endings);
        page.Write(metrics.Retries);
        page.Write(metrics.Mirrored);
        page.Write(metrics.Refusals);
        page.Write(metrics.Duration);
        page.Write(metrics.TimeToFirstByte);
        page.Write(metrics.Reloads);
        page.Gauge("mesh_config_version", "Version of the configuration in force.");
        page.Sample("mesh_config_version", [], [], configuration.Current.Config.Version);
        page.Gauge("mesh_open_requests", "Inference requests under way in this gateway.");
        page.Sample("mesh_open_requests", [], [], inference.Open);
        WriteEndpoints(page, engine.Snapshot());
        return page.ToString();
    }

    private static void WriteEndpoints(PrometheusWriter page, ImmutableArray<PoolSnapshot> pools)
    {
        page.Gauge("mesh_endpoint_healthy", "1 when the endpoint's probes succeed, else 0.");
        Each(page, pools, "mesh_endpoint_healthy", static e => e.Health == EndpointHealth.Healthy ? 1 : 0);
        page.Gauge("mesh_endpoint_in_flight_requests", "Requests in flight at the endpoint.");
        Each(page, pools, "mesh_endpoint_in_flight_requests", static e => e.InFlightRequests);
        page.Gauge("mesh_endpoint_in_flight_tokens", "Prompt and expected output tokens in flight at the endpoint.");
        Each(page, pools, "mesh_endpoint_in_flight_tokens", static e => e.InFlightTokens);
        page.Counter("mesh_endpoint_requests_total", "Requests sent to the endpoint.");
        Each(page, pools, "mesh_endpoint_requests_total", static e => e.TotalRequests);
        page.Gauge("mesh_endpoint_kv_cache_utilization_ratio", "Share of the endpoint's KV cache in use, as last scraped; absent while unknown.");
        Each(page, pools, "mesh_endpoint_kv_cache_utilization_ratio", static e => e.LastSample?.KvUtilizationRatio);
        page.Gauge("mesh_endpoint_cache_knowledge", "Where what is known of the endpoint's cache comes from: 0 history, 1 degraded, 2 exact.");
        Each(page, pools, "mesh_endpoint_cache_knowledge", static e => (int)e.CacheKnowledge);
        page.Counter("mesh_endpoint_cache_knowledge_changes_total", "Changes of where what is known of the endpoint's cache comes from.");
        Each(page, pools, "mesh_endpoint_cache_knowledge_changes_total", static e => e.CacheKnowledgeChanges);
        page.Gauge("mesh_endpoint_cached_blocks", "Blocks that the endpoint's cache holds by its own events.");
        Each(page, pools, "mesh_endpoint_cached_blocks", static e => e.CacheKnowledge == CacheKnowledge.History ? null : e.CachedBlocks);
        WriteCacheEvents(page, pools);
    }

    private static void WriteCacheEvents(PrometheusWriter page, ImmutableArray<PoolSnapshot> pools)
    {
        page.Gauge("mesh_pool_cache_mappings", "Places of prompts that are known in the endpoints' terms; absent without cache events.");
        Each(page, pools, "mesh_pool_cache_mappings", static c => c.Mappings);
        page.Counter("mesh_pool_cache_blocks_dropped_total", "Blocks that cache events told but that could not be kept.");
        Each(page, pools, "mesh_pool_cache_blocks_dropped_total", static c => c.Dropped);
        page.Counter("mesh_pool_cache_requests_learned_total", "Requests that were matched with the blocks they left behind.");
        Each(page, pools, "mesh_pool_cache_requests_learned_total", static c => c.Learning.Learned + c.Learning.Corrected);
        page.Counter("mesh_pool_cache_requests_unlearned_total", "Requests that could not be: ambiguous, without a trace, or against what is known.");
        Each(page, pools, "mesh_pool_cache_requests_unlearned_total", static c => c.Learning.Ambiguous + c.Learning.Unmatched + c.Learning.Contradicted);
    }

    private static void Each(PrometheusWriter page, ImmutableArray<PoolSnapshot> pools, string name, Func<CacheEventsSnapshot, double> read)
    {
        foreach (var pool in pools)
        {
            if (pool.CacheEvents is { } events) page.Sample(name, PoolLabels, [pool.Id.ToString()], read(events));
        }
    }

    private static void Each(PrometheusWriter page, ImmutableArray<PoolSnapshot> pools, string name, Func<EndpointSnapshot, double?> read)
    {
        foreach (var pool in pools)
        {
            var label = pool.Id.ToString();
            foreach (var backend in pool.Backends) EachOf(page, label, backend.Id, backend.Endpoints, name, read);
        }
    }

    private static void EachOf(
        PrometheusWriter page,
        string pool,
        BackendId backend,
        ImmutableArray<EndpointSnapshot> endpoints,
        string name,
        Func<EndpointSnapshot, double?> read)
    {
        foreach (var endpoint in endpoints)
        {
            if (read(endpoint) is { } value) page.Sample(name, EndpointLabels, [pool, backend.Cluster, backend.Zone, endpoint.Id.Address], value);
        }
    }
}
