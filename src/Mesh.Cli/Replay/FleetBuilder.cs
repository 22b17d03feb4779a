using System.Globalization;
using Mesh.Core.Config;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Simulation.Fleets;

namespace Mesh.Cli.Replay;

/// <summary>
/// Puts a described fleet and a configuration together: the clusters' endpoints are those of the fleet, everything else is as the manifests
/// say. Findings name the places of the fleet file.
/// </summary>
/// <param name="report">Where findings go.</param>
internal sealed class FleetBuilder(DiagnosticBag report)
{
    /// <summary>Code of findings about what the manifests say and the simulation leaves out.</summary>
    private const string NotSimulated = "not-simulated";

    private const int DefaultPort = 8000;

    /// <summary>The simulated fleet and the pool over it; null when the two do not fit.</summary>
    public (FleetTopology Fleet, PoolConfig Pool)? Build(FleetDescription description, MeshConfig? config, PoolConfig? pool)
    {
        if (config is not null) CheckClusters(description, config);
        var backends = new SortedDictionary<BackendId, List<EndpointConfig>>();
        var endpoints = new List<FleetEndpoint>();
        foreach (var cluster in description.Clusters)
        {
            foreach (var group in cluster.Groups)
            {
                if (BackendOf(cluster, group, pool) is not { } backend) continue;
                if (!backends.TryGetValue(backend.Id, out var list)) backends.Add(backend.Id, list = []);
                var pages = backend.Endpoints.IsDefaultOrEmpty ? [] : backend.Endpoints[0].MetricsPages;
                for (var i = 0; i < group.Count; i++)
                {
                    var number = endpoints.Count;
                    var id = FleetTopology.IdOf(number, backend.Id.Port);
                    endpoints.Add(new FleetEndpoint(description.NumberOf(cluster.Region.Value), id, group.Engine));
                    list.Add(new EndpointConfig { Id = id, PodName = string.Create(CultureInfo.InvariantCulture, $"{cluster.Name.Value}-{list.Count}"), MetricsPages = pages });
                }
            }
        }

        var clients = Clients(description, config, pool);
        CheckPrices(description);
        if (pool is not null) CheckPool(description, pool);
        if (report.HasErrors) return null;
        var fleet = new FleetTopology
        {
            Regions = [.. description.Regions.Select(r => r.Value)],
            RoundTripMs = [.. description.RoundTripMs.Select(row => (IReadOnlyList<double>)[.. row])],
            Endpoints = endpoints,
            Clients = clients,
            CostPerHour = description.CostPerHour,
        };
        return (fleet, Pool(description, pool, backends));
    }

    private static PoolConfig Pool(FleetDescription description, PoolConfig? pool, SortedDictionary<BackendId, List<EndpointConfig>> backends)
    {
        if (pool is not null)
            return pool with
            {
                Backends = [.. pool.Backends.Where(b => backends.ContainsKey(b.Id)).Select(b => b with { Endpoints = [.. backends[b.Id].OrderBy(e => e.Id)] })],
            };
        return new PoolConfig
        {
            Id = new PoolId("default", "pool"),
            // Without manifests nothing sets a time-out: what one would hide is to be seen.
            Timeout = TimeSpan.FromHours(10),
            Backends =
            [
                .. backends.Select(b => new BackendConfig
                {
                    Id = b.Key,
                    Region = description.Clusters.First(c => c.Name.Value == b.Key.Cluster).Region.Value,
                    Endpoints = [.. b.Value.OrderBy(e => e.Id)],
                }),
            ],
        };
    }

    private void CheckClusters(FleetDescription description, MeshConfig config)
    {
        var names = config.Clusters.Select(c => c.Name).ToList();
        foreach (var cluster in description.Clusters)
        {
            if (config.Clusters.FirstOrDefault(c => c.Name == cluster.Name.Value) is not { } known)
            {
                var nearest = NearestName.Of(cluster.Name.Value, names);
                report.Error(
                    cluster.Name.At, DiagnosticCodes.UnknownValue,
                    $"{cluster.Name.At.Path} is {cluster.Name.Value}, but the manifests have the clusters {string.Join(", ", names)}",
                    nearest is null ? null : $"did you mean {nearest}?");
            }
            else if (known.Region != cluster.Region.Value)
            {
                report.Error(
                    cluster.Region.At, DiagnosticCodes.UnknownValue, $"{cluster.Region.At.Path} is {cluster.Region.Value}, but the manifests have {known.Name} in {known.Region}",
                    $"write region: {known.Region}");
            }
        }
    }

    private void CheckPrices(FleetDescription description)
    {
        var groups = description.Clusters.SelectMany(c => c.Groups).ToList();
        if (groups.Find(g => g.PricePerHour is null) is { } free && groups.Exists(g => g.PricePerHour is not null))
            report.Warning(free.At, DiagnosticCodes.RequiredField, $"Hardware {free.Hardware} has no pricePerHour: no cost is told", "write pricePerHour for all hardware in use, or for none");
    }

    // What the figures do not show should not be taken for shown.
    private void CheckPool(FleetDescription description, PoolConfig pool)
    {
        var at = description.Clusters[0].Name.At with { Path = "spec.clusters", Line = 0, Column = 0 };
        foreach (var cluster in pool.Backends.Select(b => b.Id.Cluster).Distinct().Where(c => description.Clusters.All(d => d.Name.Value != c)))
            report.Warning(at, NotSimulated, $"Cluster {cluster} of the manifests' pool {pool.Id} is not in the fleet: it is left out");
        var exports = pool.Backends.SelectMany(b => b.Endpoints).SelectMany(e => e.MetricsPages).SelectMany(p => p.Exports)
            .Where(e => SimulatedMetrics.Names.Contains(e.MetricName)).Select(e => e.ExportName).ToHashSet();
        foreach (var metric in pool.Backends.SelectMany(b => b.Settings.CustomMetrics).Where(m => !m.DryRun).Select(m => m.ExportName).Distinct().Where(m => !exports.Contains(m)))
            report.Warning(
                at, NotSimulated, $"A policy balances by {metric}, which simulated engines do not tell: it counts as unknown",
                $"simulated are {string.Join(", ", SimulatedMetrics.Names)}");
        if (pool.KvEvents.Enabled)
            report.Warning(at, NotSimulated, $"The pool {pool.Id} follows KV events; the simulation goes by what was routed");
    }

    private BackendConfig? BackendOf(FleetCluster cluster, FleetGroup group, PoolConfig? pool)
    {
        if (pool is null)
            return new BackendConfig { Id = new BackendId(cluster.Name.Value, group.Zone?.Value ?? cluster.Region.Value, DefaultPort), Region = cluster.Region.Value };
        var here = pool.Backends.Where(b => b.Id.Cluster == cluster.Name.Value).ToList();
        var zones = here.Select(b => b.Id.Zone).Distinct().ToList();
        // A cluster that the manifests do not have has been reported.
        if (report.FirstErrorUnder(cluster.Name.At) is not null) return null;
        if (here.Count == 0)
            report.Error(
                cluster.Name.At, DiagnosticCodes.BackendUnresolved, $"The manifests' pool {pool.Id} has no endpoint in cluster {cluster.Name.Value}",
                "one Pod or EndpointSlice in the manifests is enough: the fleet says how many are simulated");
        else if (group.Zone is null && zones.Count > 1)
            report.Error(
                group.At, DiagnosticCodes.RequiredField, $"{group.At.Path}.zone is required: {cluster.Name.Value} has the zones {string.Join(", ", zones)}");
        else if (group.Zone is { } zone && !zones.Contains(zone.Value))
            report.Error(
                zone.At, DiagnosticCodes.UnknownValue, $"{zone.At.Path} is {zone.Value}, but the manifests' pool has endpoints of {cluster.Name.Value} in {string.Join(", ", zones)}",
                NearestName.Of(zone.Value, zones) is { } nearest ? $"did you mean {nearest}?" : null);
        else
            return here.First(b => group.Zone is null || b.Id.Zone == group.Zone.Value);
        return null;
    }

    private List<ClientGroup> Clients(FleetDescription description, MeshConfig? config, PoolConfig? pool)
    {
        if (description.Clients.IsEmpty) return [.. description.Regions.Select((_, r) => new ClientGroup(r, 1))];
        return [.. description.Clients.Select(c => new ClientGroup(description.NumberOf(c.Region.Value), c.Share, PriorityOf(c, config, pool)))];
    }

    private int PriorityOf(FleetClients clients, MeshConfig? config, PoolConfig? pool)
    {
        if (clients.Objective is not { } name) return 0;
        if (config is null)
        {
            report.Warning(name.At, NotSimulated, $"{name.At.Path} is {name.Value}, which says nothing without manifests: these requests have priority 0", "give the manifests that have it: --manifests DIR");
            return 0;
        }

        var known = config.Objectives.Where(o => pool is null || o.Namespace == pool.Id.Namespace).ToList();
        if (known.Find(o => o.Name == name.Value) is { } objective) return objective.Priority;
        var nearest = NearestName.Of(name.Value, known.Select(o => o.Name));
        report.Error(
            name.At, DiagnosticCodes.UnknownValue, $"{name.At.Path} is {name.Value}, but the manifests have {(known.Count == 0 ? "no objective" : "the objectives " + string.Join(", ", known.Select(o => o.Name)))}",
            nearest is null ? null : $"did you mean {nearest}?");
        return 0;
    }
}
