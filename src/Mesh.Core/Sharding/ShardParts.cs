using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Core.Sharding;

/// <summary>The part of a pool that one shard runs.</summary>
public static class ShardParts
{
    /// <summary>
    /// The pool with some of its endpoints. Limits that hold for an endpoint stay as they are, so that all shards together have exactly what the pool has; the
    /// bounds of the queue, which hold for the pool, are divided.
    /// </summary>
    /// <param name="pool">The whole pool.</param>
    /// <param name="shards">Shards of the pool, at least 1.</param>
    /// <param name="owns">True for endpoints to keep.</param>
    public static PoolConfig PartOf(PoolConfig pool, int shards, Func<EndpointId, bool> owns)
    {
        ArgumentNullException.ThrowIfNull(pool);
        ArgumentNullException.ThrowIfNull(owns);
        return pool with
        {
            Backends = [.. pool.Backends.Select(b => b with { Endpoints = b.Endpoints.RemoveAll(e => !owns(e.Id)) })],
            FlowControl = pool.FlowControl with
            {
                // Rounded down, so that the shards together never let more wait than the pool may.
                MaxWaitingRequests = Math.Max(1, pool.FlowControl.MaxWaitingRequests / shards),
                MaxWaitingBytes = Math.Max(1, pool.FlowControl.MaxWaitingBytes / shards),
            },
        };
    }
}
