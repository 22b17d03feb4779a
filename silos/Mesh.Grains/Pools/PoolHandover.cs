using Mesh.Core.Leases;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Pools;

/// <summary>
/// What an activation that moves leaves to the next: enough to place requests at once. Who waits is not in it, because the gateways say so when
/// they hear of the new epoch; nor is what only makes choices better and is learned again.
/// </summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-handover")]
internal sealed record PoolHandover
{
    /// <summary>Epoch of the activation that ends; the next has a higher one.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>What is known of the endpoints.</summary>
    [Id(1)] public EndpointNews[] Endpoints { get; init; } = [];

    /// <summary>Leases that are out, by session.</summary>
    [Id(2)] public SessionHandover[] Sessions { get; init; } = [];

    /// <summary>Calls that wait for a decision.</summary>
    [Id(3)] public int WaitingCalls { get; init; }

    /// <summary>Map of the pool's shards.</summary>
    [Id(4)] public ShardMapWord Shards { get; init; }

    /// <summary>True when all endpoints that the map gives to the shard had come to it.</summary>
    [Id(5)] public bool HasAllOfShard { get; init; }
}

/// <summary>What one gateway session holds.</summary>
/// <param name="Session">The session.</param>
/// <param name="Held">Its leases.</param>
[GenerateSerializer, Immutable, Alias("mesh.session-handover")]
internal readonly record struct SessionHandover([property: Id(0)] GatewaySession Session, [property: Id(1)] HeldLease[] Held);
