using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Reading;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>The manifests of this region's own directory, as far as they are shared with other regions.</summary>
/// <param name="directory">Where they are: a directory per cluster.</param>
/// <param name="region">The own region.</param>
internal sealed class OwnManifests(string directory, string region)
{
    /// <summary>True when they say which the config cluster is, but do not have it.</summary>
    public bool IsElsewhere(MeshConfig config) =>
        config.Clusters.FirstOrDefault(c => c.IsConfigCluster) is { } cluster && cluster.Region != region && !Directory.Exists(Path.Combine(directory, cluster.Name));

    /// <summary>What other regions are told of a cluster's; empty for none.</summary>
    public ImmutableArray<ManifestText> Files(string cluster) => WorkloadFilter.Apply(ManifestText.Read(directory, cluster));

    /// <summary>What other regions are not told of a cluster's.</summary>
    public IEnumerable<ManifestText> Workloads(string cluster) => WorkloadFilter.Only(ManifestText.Read(directory, cluster));

    /// <summary>The config cluster's as one bundle; null when they do not have them.</summary>
    public ConfigBundle? Bundle(MeshConfig config, long version) =>
        config.Clusters.FirstOrDefault(c => c.IsConfigCluster) is { } cluster && Files(cluster.Name) is { IsEmpty: false } files
            ? ConfigBundle.Of(cluster.Name, cluster.Region, version, files) : null;
}
