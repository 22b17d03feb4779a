using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Gateway.Hosting;
using Mesh.Resources.Effective;

namespace Mesh.Gateway.Admin.Views;

/// <summary>The state of the mesh at one moment, from which everything in one answer comes.</summary>
/// <param name="Pools">Every pool.</param>
/// <param name="Routing">Configuration in force.</param>
/// <param name="Effective">What holds for each pool and where it is written; empty without manifests.</param>
/// <param name="Timestamp">When the pools were read, by the gateway's clock.</param>
/// <param name="Time">The same by the calendar.</param>
internal sealed record MeshReading(
    ImmutableArray<PoolSnapshot> Pools, RoutingState Routing, ImmutableArray<EffectivePool> Effective, long Timestamp, DateTimeOffset Time)
{
    /// <summary>A pool; null when there is none of that id.</summary>
    public PoolSnapshot? Pool(PoolId id)
    {
        foreach (var pool in Pools)
        {
            if (pool.Id == id) return pool;
        }

        return null;
    }

    /// <summary>What holds for a pool; null without manifests.</summary>
    public EffectivePool? EffectiveOf(PoolId id)
    {
        foreach (var pool in Effective)
        {
            if (pool.Id == id) return pool;
        }

        return null;
    }
}
