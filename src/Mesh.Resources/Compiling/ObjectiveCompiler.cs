using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>Objectives of all clusters, each namespace and name once: the config cluster's, else that of the first cluster by name.</summary>
internal static class ObjectiveCompiler
{
    public static ImmutableArray<ObjectiveConfig> Compile(World world) =>
        [.. InOrder(world).GroupBy(o => o.Header.FullName).Select(g => g.First())
            .OrderBy(o => o.Namespace, StringComparer.Ordinal).ThenBy(o => o.Name, StringComparer.Ordinal)
            .Select(o => new ObjectiveConfig(o.Namespace, o.Name, o.Priority, o.Pool?.Name ?? ""))];

    /// <summary>All objectives, the one that counts of each name first.</summary>
    public static IEnumerable<InferenceObjective> InOrder(World world) =>
        world.Resources.Of<InferenceObjective>()
            .OrderByDescending(o => o.Cluster == world.ConfigCluster)
            .ThenBy(o => o.Cluster, StringComparer.Ordinal);
}
