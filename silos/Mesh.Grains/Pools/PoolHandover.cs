using Mesh.Core.Leases;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Pools;

/// <summary>
/// What an activation that moves leaves to the next, which goes on under the same epoch as if nothing had happened: gateways need not be asked
/// for anything, and ask for nothing twice. What only makes choices better is learned again.
/// </summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-handover")]
internal sealed record PoolHandover
{
    /// <summary>Epoch that the gateways know: the next activation answers to it.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>What is known of the endpoints.</summary>
    [Id(1)] public EndpointNews[] Endpoints { get; init; } = [];

    /// <summary>The gateways' sessions.</summary>
    [Id(2)] public SessionHandover[] Sessions { get; init; } = [];

    /// <summary>Epoch of the leases that this activation made: those of the next have a higher one.</summary>
    [Id(3)] public long LeaseEpoch { get; init; }

    /// <summary>Calls that wait for a decision, in the order in which they came, with their sessions' keys.</summary>
    [Id(4)] public RouteCall[] Waiting { get; init; } = [];

    /// <summary>Map of the pool's shards.</summary>
    [Id(5)] public ShardMapWord Shards { get; init; }

    /// <summary>True when all endpoints that the map gives to the shard had come to it.</summary>
    [Id(6)] public bool HasAllOfShard { get; init; }

    /// <summary>Leases that other shards have handed over and the gateways have not named since.</summary>
    [Id(7)] public SessionHandover[] FromShards { get; init; } = [];
}

/// <summary>One gateway's session.</summary>
[GenerateSerializer, Immutable, Alias("mesh.session-handover")]
internal sealed record SessionHandover
{
    /// <summary>The session.</summary>
    [Id(0)] public GatewaySession Session { get; init; }

    /// <summary>Leases that it holds, heard of or not.</summary>
    [Id(1)] public HeldLease[] Held { get; init; } = [];

    /// <summary>Its number in calls; 0 when it has leases but has not announced itself.</summary>
    [Id(2)] public int Key { get; init; }

    /// <summary>See <see cref="CallMemory.Sequence"/>.</summary>
    [Id(3)] public long Sequence { get; init; }

    /// <summary>See <see cref="CallMemory.Settled"/>.</summary>
    [Id(4)] public long Settled { get; init; }

    /// <summary>Who is told of the pool's state; null for nobody.</summary>
    [Id(5)] public IPoolWatcher? Watcher { get; init; }

    /// <summary>Answers that the gateway may not have had.</summary>
    [Id(6)] public AnswerHandover[] Answers { get; init; } = [];
}

/// <summary>A remembered answer.</summary>
/// <param name="Number">Number of the call.</param>
/// <param name="Reply">The answer; <see cref="ReplyKind.StillWaiting"/> for a call that was cancelled.</param>
[GenerateSerializer, Immutable, Alias("mesh.answer-handover")]
internal readonly record struct AnswerHandover([property: Id(0)] long Number, [property: Id(1)] RouteReply Reply);
