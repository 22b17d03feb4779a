using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>The pools that a route refers to.</summary>
internal static class RouteRefs
{
    /// <summary>All backend refs and the refs of mirrors.</summary>
    public static IEnumerable<BackendRef> Of(HttpRoute route)
    {
        foreach (var rule in route.Rules)
        {
            foreach (var mirror in rule.Filters.Mirrors) yield return mirror.Ref;
            foreach (var reference in rule.BackendRefs)
            {
                yield return reference;
                foreach (var mirror in reference.Filters.Mirrors) yield return mirror.Ref;
            }
        }
    }

    public static bool IsImport(BackendRef r) => r is { Group: GcpInferencePoolImport.Group, Kind: GcpInferencePoolImport.KindName };

    public static bool IsLocalPool(BackendRef r) => r is { Group: InferencePool.Group, Kind: "InferencePool" };

    /// <summary>Identity of the pool, whether or not it exists.</summary>
    public static PoolId PoolOf(HttpRoute route, BackendRef r)
    {
        var space = r.Namespace ?? route.Namespace;
        return IsLocalPool(r) ? PoolDraft.LocalId(route.Cluster, space, r.Name.Value) : new PoolId(space, r.Name.Value);
    }
}
