using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>
/// The objects of a load with everything that follows from them: the fleet, the pools with their endpoints, the policies attached to
/// them. It is built without judging, so that every rule can look at the whole, and from it the configuration is compiled.
/// </summary>
internal sealed class World
{
    public World(IReadOnlyList<string> directories, IEnumerable<Resource> resources, ImmutableArray<string> peerRegions = default)
    {
        PeerRegions = peerRegions.IsDefault ? [] : peerRegions;
        Directories = [.. directories];
        Resources = new ResourceSet(resources);
        var marked = Resources.Of<ClusterProfile>().Where(p => p.IsConfigCluster).Select(p => p.Name).Distinct().ToList();
        ConfigCluster = marked.Count == 1 ? marked[0] : null;
        Fleet = FleetBuilder.Build(this);
        Pools = PoolDrafts.Build(this);
        Attachments = PolicyAttachments.Build(this);
    }

    /// <summary>Regions that are known from elsewhere: a gateway of another region serves them.</summary>
    public ImmutableArray<string> PeerRegions { get; }

    /// <summary>Clusters that have a directory.</summary>
    public ImmutableArray<string> Directories { get; }

    public ResourceSet Resources { get; }

    /// <summary>The cluster whose Gateway, HTTPRoute and policies count; null where the manifests do not name exactly one.</summary>
    public string? ConfigCluster { get; }

    public ImmutableSortedDictionary<string, ClusterConfig> Fleet { get; }

    public ImmutableArray<PoolDraft> Pools { get; }

    public PolicyAttachments Attachments { get; }

    /// <summary>
    /// Objects of a kind that have an effect. While it is not known which cluster is the config cluster, those of every cluster do, so
    /// that this one mistake does not hide others.
    /// </summary>
    public IEnumerable<T> Effective<T>()
        where T : Resource => Resources.Of<T>().Where(Counts);

    public bool Counts(Resource resource) =>
        !resource.Header.Kind.ConfigClusterOnly || ConfigCluster is null || resource.Cluster == ConfigCluster;

    public PoolDraft? FindPool(PoolId id) => Pools.FirstOrDefault(p => p.Id == id);
}
