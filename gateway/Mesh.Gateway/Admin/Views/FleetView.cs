using System.Collections.Immutable;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Admin.Shapes;

namespace Mesh.Gateway.Admin.Views;

/// <summary>Regions, clusters and objectives in the API's shape.</summary>
internal static class FleetView
{
    /// <summary>Regions by name, those of the configuration and those that are linked.</summary>
    /// <param name="reading">State of the mesh.</param>
    /// <param name="links">Links to peer regions.</param>
    public static ImmutableArray<RegionShape> Regions(MeshReading reading, ImmutableArray<RegionLink> links)
    {
        var loads = LoadsBy(reading, static b => b.Region);
        var clusters = reading.Routing.Config.Clusters;
        var own = reading.Routing.Region;
        return
        [
            .. clusters.Select(c => c.Region).Concat(links.Select(l => l.Region)).Distinct().Order(StringComparer.Ordinal).Select(name =>
            {
                var link = links.FirstOrDefault(l => l.Region == name);
                var load = link is null ? loads.GetValueOrDefault(name) : LoadOf(reading, link);
                var isOwn = link is null && (own.Length == 0 || name == own);
                return new RegionShape
                {
                    Name = name,
                    Own = isOwn,
                    Link = isOwn ? "own" : link?.State ?? "direct",
                    Clusters = [.. clusters.Where(c => c.Region == name).Select(c => c.Name)],
                    Endpoints = load.Endpoints,
                    ReadyEndpoints = load.Ready,
                    InFlightRequests = load.InFlight + (link?.ForwardedRequests ?? 0),
                    RequestsPerSecond = Rounded.Or0(load.Rate),
                    Fullness = Rounded.To3(load.Fullness),
                    RoundTripMs = Rounded.To3(link?.RoundTripMs),
                    CreditRequests = Rounded.To3(link?.CreditRequests),
                    ReportAgeSeconds = Rounded.To3(link?.ReportAgeSeconds),
                };
            }),
        ];
    }

    /// <summary>Clusters by name.</summary>
    public static ImmutableArray<ClusterShape> Clusters(MeshReading reading)
    {
        var loads = LoadsBy(reading, static b => b.Id.Cluster);
        return
        [
            .. reading.Routing.Config.Clusters.Select(c =>
            {
                var load = loads.GetValueOrDefault(c.Name);
                return new ClusterShape
                {
                    Name = c.Name,
                    Region = c.Region,
                    Zone = c.Zone,
                    ConfigCluster = c.IsConfigCluster,
                    Labels = c.Labels,
                    Pools = [.. reading.Pools.Where(p => p.Backends.Any(b => b.Id.Cluster == c.Name)).Select(p => p.Id.ToString())],
                    Endpoints = load.Endpoints,
                    ReadyEndpoints = load.Ready,
                    InFlightRequests = load.InFlight,
                    RequestsPerSecond = Rounded.Or0(load.Rate),
                    Fullness = Rounded.To3(load.Fullness),
                };
            }),
        ];
    }

    /// <summary>Objectives by namespace and name.</summary>
    public static ImmutableArray<ObjectiveShape> Objectives(MeshReading reading) =>
    [
        .. reading.Routing.Config.Objectives.OrderBy(o => o.Namespace, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal).Select(o =>
        {
            var pool = reading.Pool(new(o.Namespace, o.PoolName));
            var queued = pool?.Queue.Where(b => b.Priority == o.Priority).Sum(b => b.Requests) ?? 0;
            return new ObjectiveShape(o.Namespace, o.Name, o.Priority, $"{o.Namespace}/{o.PoolName}", pool is not null, queued);
        }),
    ];

    /// <summary>A peer's endpoints as its last report has them: they are none of this gateway's backends.</summary>
    private static Load LoadOf(MeshReading reading, RegionLink link)
    {
        var load = default(Load);
        foreach (var pool in reading.Pools)
        {
            foreach (var peer in pool.Peers)
            {
                if (peer.Region == link.Region) load.Add(peer);
            }
        }

        // Of one that is silent nobody knows what is ready.
        if (link.State is not ("reachable" or "stale")) load.Ready = 0;
        return load;
    }

    private static Dictionary<string, Load> LoadsBy(MeshReading reading, Func<BackendSnapshot, string> key)
    {
        var loads = new Dictionary<string, Load>();
        foreach (var pool in reading.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                var load = loads.GetValueOrDefault(key(backend));
                load.Add(backend);
                loads[key(backend)] = load;
            }
        }

        return loads;
    }
}
