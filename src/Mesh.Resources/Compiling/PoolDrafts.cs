using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Unites the exported pools of one namespace and name into imports, and adds the pools that routes or policies name for one cluster.</summary>
internal static class PoolDrafts
{
    public static ImmutableArray<PoolDraft> Build(World world)
    {
        var finder = new EndpointFinder(world.Resources);
        var imports = world.Resources.Of<InferencePool>()
            .Where(Export.IsExported)
            .GroupBy(p => new PoolId(p.Namespace, p.Name))
            .Select(g => Draft(g.Key, null, [.. g], world, finder));
        var locals = LocallyNamed(world)
            .Select(p => Draft(PoolDraft.LocalId(p.Cluster, p.Namespace, p.Name), p.Cluster, [p], world, finder));
        return [.. imports.Concat(locals).OrderBy(p => p.Id)];
    }

    /// <summary>Pools that a route or policy of the same cluster names as InferencePool.</summary>
    private static IEnumerable<InferencePool> LocallyNamed(World world)
    {
        var named = new HashSet<(string Cluster, string Namespace, string Name)>();
        foreach (var route in world.Effective<HttpRoute>())
        {
            foreach (var reference in RouteRefs.Of(route).Where(RouteRefs.IsLocalPool))
                named.Add((route.Cluster, reference.Namespace ?? route.Namespace, reference.Name.Value));
        }

        foreach (var (header, target) in PolicyAttachments.Targets(world))
        {
            if (target is { Group: InferencePool.Group, Kind: "InferencePool" }) named.Add((header.Cluster, header.Namespace, target.Name));
        }

        return world.Resources.Of<InferencePool>().Where(p => named.Contains((p.Cluster, p.Namespace, p.Name)));
    }

    private static PoolDraft Draft(PoolId id, string? localTo, ImmutableArray<InferencePool> members, World world, EndpointFinder finder)
    {
        var backends = new List<BackendDraft>();
        foreach (var member in members)
        {
            var cluster = world.Fleet[member.Cluster];
            backends.AddRange(finder.Find(member, cluster)
                .GroupBy(e => new BackendId(cluster.Name, e.Zone, e.Port))
                .Select(g => new BackendDraft(
                    g.Key, cluster.Region, FleetBuilder.WithImplicit(cluster.Labels, cluster.Name, cluster.Region, g.Key.Zone),
                    [.. g.OrderBy(e => e.Address, StringComparer.Ordinal)])));
        }

        return new PoolDraft(id, localTo, members, [.. backends.OrderBy(b => b.Id)]);
    }
}
