using Mesh.Core.Config;
using Mesh.Gateway.Admin.Live;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Admin.Views;

namespace Mesh.Gateway.Admin;

/// <summary>The lists of the API by their path.</summary>
internal static class AdminLists
{
    /// <summary>All of them.</summary>
    public static IReadOnlyDictionary<string, IAdminList> Create(AdminServices services, EventStreams streams)
    {
        var endpoints = new EndpointView(services.Time);
        return new Dictionary<string, IAdminList>
        {
            ["pools"] = new AdminList<PoolShape>(
                services, streams, ["namespace"], PoolSorts, q => Pools(services, q), p => p.Id, AdminJson.Readable.ListShapePoolShape),
            ["backends"] = new AdminList<BackendShape>(
                services, streams, ["namespace", "pool", "cluster", "region"], BackendSorts, q => Backends(services, q), b => $"{b.Pool} {b.Id}",
                AdminJson.Readable.ListShapeBackendShape),
            ["endpoints"] = new AdminList<EndpointShape>(
                services, streams, ["namespace", "pool", "cluster", "region", "backend", "state", "search"], EndpointSorts, q => Endpoints(services, endpoints, q),
                e => $"{e.Pool} {e.Address}", AdminJson.Readable.ListShapeEndpointShape),
            ["regions"] = new AdminList<RegionShape>(
                services, streams, [], RegionSorts, _ => FleetView.Regions(services.Reader.Read(), services.Links()), r => r.Name, AdminJson.Readable.ListShapeRegionShape),
            ["clusters"] = new AdminList<ClusterShape>(
                services, streams, ["region"], ClusterSorts, q => FleetView.Clusters(services.Reader.Read()).Where(c => Is(c.Region, q["region"])), c => c.Name,
                AdminJson.Readable.ListShapeClusterShape),
            ["objectives"] = new AdminList<ObjectiveShape>(
                services, streams, ["namespace", "pool"], ObjectiveSorts,
                q => FleetView.Objectives(services.Reader.Read()).Where(o => Is(o.Namespace, q["namespace"]) && IsPool(o.Pool, q["pool"])), o => $"{o.Namespace}/{o.Name}",
                AdminJson.Readable.ListShapeObjectiveShape),
            ["flows"] = new AdminList<FlowShape>(
                services, streams, ["pool", "region", "cluster"], FlowSorts,
                q => services.History.Flows.Where(f => IsPool(f.Pool, q["pool"]) && Is(f.Region, q["region"]) && Is(f.Cluster, q["cluster"])),
                f => $"{f.Pool} {f.Region} {f.Cluster} {f.Reason}", AdminJson.Readable.ListShapeFlowShape),
        };
    }

    private static Dictionary<string, Func<PoolShape, IComparable?>> PoolSorts { get; } = new()
    {
        ["name"] = p => p.Id,
        ["inFlightRequests"] = p => p.InFlightRequests,
        ["queuedRequests"] = p => p.QueuedRequests,
        ["requestsPerSecond"] = p => p.RequestsPerSecond,
        ["fullness"] = p => p.Fullness,
        ["endpoints"] = p => p.Endpoints,
    };

    private static Dictionary<string, Func<BackendShape, IComparable?>> BackendSorts { get; } = new()
    {
        ["name"] = b => b.Id,
        ["inFlightRequests"] = b => b.InFlightRequests,
        ["requestsPerSecond"] = b => b.RequestsPerSecond,
        ["fullness"] = b => b.Fullness,
        ["kvUtilizationRatio"] = b => b.KvUtilizationRatio,
        ["endpoints"] = b => b.Endpoints,
    };

    private static Dictionary<string, Func<EndpointShape, IComparable?>> EndpointSorts { get; } = new()
    {
        ["address"] = e => e.Address,
        ["pod"] = e => e.Pod,
        ["state"] = e => e.State,
        ["cluster"] = e => e.Cluster,
        ["inFlightRequests"] = e => e.InFlightRequests,
        ["inFlightTokens"] = e => e.InFlightTokens,
        ["waitingRequests"] = e => e.WaitingRequests,
        ["predictedWaitMs"] = e => e.PredictedWaitMs,
        ["totalRequests"] = e => e.TotalRequests,
        ["kvUtilizationRatio"] = e => e.KvUtilizationRatio,
        ["prefixHitRatio"] = e => e.PrefixHitRatio,
        ["sampleAgeSeconds"] = e => e.SampleAgeSeconds,
        ["ejections"] = e => e.Ejections,
    };

    private static Dictionary<string, Func<RegionShape, IComparable?>> RegionSorts { get; } = new()
    {
        ["name"] = r => r.Name,
        ["inFlightRequests"] = r => r.InFlightRequests,
        ["fullness"] = r => r.Fullness,
        ["roundTripMs"] = r => r.RoundTripMs,
    };

    private static Dictionary<string, Func<ClusterShape, IComparable?>> ClusterSorts { get; } = new()
    {
        ["name"] = c => c.Name,
        ["inFlightRequests"] = c => c.InFlightRequests,
        ["fullness"] = c => c.Fullness,
        ["endpoints"] = c => c.Endpoints,
    };

    private static Dictionary<string, Func<ObjectiveShape, IComparable?>> ObjectiveSorts { get; } = new()
    {
        ["name"] = o => o.Name,
        ["priority"] = o => o.Priority,
        ["queuedRequests"] = o => o.QueuedRequests,
    };

    private static Dictionary<string, Func<FlowShape, IComparable?>> FlowSorts { get; } = new()
    {
        ["requestsPerSecond"] = f => f.RequestsPerSecond,
        ["total"] = f => f.Total,
    };

    private static IEnumerable<PoolShape> Pools(AdminServices services, AdminQuery query)
    {
        var reading = services.Reader.Read();
        return reading.Pools.Where(p => Is(p.Id.Namespace, query["namespace"])).Select(p => PoolView.Of(reading, p, services.Latencies, withSettings: false));
    }

    private static IEnumerable<BackendShape> Backends(AdminServices services, AdminQuery query)
    {
        var reading = services.Reader.Read();
        foreach (var pool in reading.Pools)
        {
            if (!Is(pool.Id.Namespace, query["namespace"]) || !IsPool(pool.Id, query["pool"])) continue;
            var effective = reading.EffectiveOf(pool.Id);
            foreach (var backend in pool.Backends)
            {
                if (!Is(backend.Id.Cluster, query["cluster"]) || !Is(backend.Region, query["region"])) continue;
                yield return BackendView.Of(pool, backend, effective, services.Latencies, withSettings: false);
            }
        }
    }

    private static IEnumerable<EndpointShape> Endpoints(AdminServices services, EndpointView view, AdminQuery query)
    {
        var reading = services.Reader.Read();
        foreach (var pool in reading.Pools)
        {
            if (!Is(pool.Id.Namespace, query["namespace"]) || !IsPool(pool.Id, query["pool"])) continue;
            foreach (var backend in pool.Backends)
            {
                if (!Is(backend.Id.Cluster, query["cluster"]) || !Is(backend.Region, query["region"])) continue;
                if (query["backend"] is { } wanted && backend.Id.ToString() != wanted) continue;
                foreach (var endpoint in backend.Endpoints)
                {
                    var shape = view.Of(pool, backend, endpoint, reading.Timestamp);
                    if (Is(shape.State, query["state"]) && Has(shape, query["search"])) yield return shape;
                }
            }
        }
    }

    private static bool Has(EndpointShape endpoint, string? text) =>
        string.IsNullOrEmpty(text) || endpoint.Address.Contains(text, StringComparison.OrdinalIgnoreCase) || endpoint.Pod.Contains(text, StringComparison.OrdinalIgnoreCase);

    private static bool Is(string value, string? wanted) => wanted is null || value == wanted;

    private static bool IsPool(PoolId pool, string? wanted) => wanted is null || pool.ToString() == wanted || pool.Name == wanted;

    private static bool IsPool(string pool, string? wanted) => wanted is null || pool == wanted || pool.EndsWith("/" + wanted, StringComparison.Ordinal);
}
