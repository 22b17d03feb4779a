using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>Everything the mesh runs by, compiled from validated resources. Immutable: an edit makes a new one with a higher version.</summary>
public sealed record MeshConfig
{
    /// <summary>A configuration of nothing, version 0.</summary>
    public static MeshConfig Empty { get; } = new();

    /// <summary>Rises by one with every accepted edit.</summary>
    public long Version { get; init; }

    /// <summary>The fleet, ordered by name.</summary>
    public ImmutableArray<ClusterConfig> Clusters { get; init; } = [];

    /// <summary>All imports, ordered by id.</summary>
    public ImmutableArray<PoolConfig> Pools { get; init; } = [];

    /// <summary>Gateways of the config cluster, ordered by namespace and name.</summary>
    public ImmutableArray<GatewayConfig> Gateways { get; init; } = [];

    /// <summary>Routes of the config cluster, in Gateway API's order of precedence for equal matches (oldest, then namespace/name).</summary>
    public ImmutableArray<HttpRouteConfig> Routes { get; init; } = [];

    /// <summary>Objectives of all clusters, each namespace/name once.</summary>
    public ImmutableArray<ObjectiveConfig> Objectives { get; init; } = [];

    /// <summary>
    /// What the engine of one region runs by where peer regions stand for the others: every pool with the backends of that region alone; all else as it is. A
    /// pool without a backend there stays, empty: its requests go to the peers.
    /// </summary>
    /// <param name="region">The region; names are compared exactly.</param>
    public MeshConfig ForRegion(string region)
    {
        ArgumentException.ThrowIfNullOrEmpty(region);
        return this with { Pools = [.. Pools.Select(p => p.ForRegion(region))] };
    }
}
