using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference;

namespace Mesh.Gateway.Metrics;

/// <summary><c>/metrics</c>: the gateway's counters and the engine's view of every endpoint.</summary>
internal sealed class MetricsPage(GatewayMetrics metrics, IMeshEngine engine, ActiveConfiguration configuration, InferenceHandler inference)
{
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
