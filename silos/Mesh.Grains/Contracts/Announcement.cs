using Mesh.Core.Leases;

namespace Mesh.Grains.Contracts;

/// <summary>A gateway's sign of life.</summary>
/// <param name="Session">The gateway's session.</param>
/// <param name="Epoch">Highest epoch of the pool that the gateway knows; 0 for none.</param>
/// <param name="Key">Number that the activation gave the session; 0 for none.</param>
/// <param name="Settled">See <see cref="RouteCall.Settled"/>.</param>
/// <param name="Shards">Newest map of the pool's shards that the gateway knows.</param>
[GenerateSerializer, Immutable, Alias("mesh.session-call")]
internal readonly record struct SessionCall(
    [property: Id(0)] GatewaySession Session, [property: Id(1)] long Epoch, [property: Id(2)] int Key, [property: Id(3)] long Settled,
    [property: Id(4)] ShardMapWord Shards = default);

/// <summary>What a pool says to everything but a <see cref="RouteCall"/>.</summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-reply")]
internal readonly record struct PoolReply
{
    /// <summary>Epoch of the activation.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>True when the gateway has to announce what it holds before anything else.</summary>
    [Id(1)] public bool MustAnnounce { get; init; }

    /// <summary>True when the activation is new and knows little of its endpoints: what the gateway knows of them is welcome.</summary>
    [Id(2)] public bool WantsHints { get; init; }

    /// <summary>Number of the session in calls to this activation; 0 while it is not announced.</summary>
    [Id(3)] public int Key { get; init; }

    /// <summary>True when the activation knows that another has taken its place.</summary>
    [Id(4)] public bool IsSuperseded { get; init; }

    /// <summary>How the shard is, and the map of all.</summary>
    [Id(5)] public ShardState Shard { get; init; }
}

/// <summary>Everything that a gateway holds of a pool, and who waits there for it.</summary>
[GenerateSerializer, Immutable, Alias("mesh.announcement")]
internal sealed record Announcement
{
    [Id(0)] public GatewaySession Session { get; init; }

    /// <summary>Epoch of the activation that is told.</summary>
    [Id(1)] public long Epoch { get; init; }

    /// <summary>See <see cref="FeedbackBatch.Sequence"/>.</summary>
    [Id(2)] public long Sequence { get; init; }

    /// <summary>Leases held.</summary>
    [Id(3)] public HeldLease[] Held { get; init; } = [];

    /// <summary>Calls without an answer, in the order of their numbers.</summary>
    [Id(4)] public RouteCall[] Waiting { get; init; } = [];

    /// <summary>What was last known of the endpoints; empty when it was not asked for.</summary>
    [Id(5)] public EndpointNews[] Hints { get; init; } = [];

    /// <summary>Who wants to be told of the pool's state; null for nobody.</summary>
    [Id(6)] public IPoolWatcher? Watcher { get; init; }

    /// <summary>Map of the pool's shards by which the gateway knows whose leases these are.</summary>
    [Id(7)] public ShardMapWord Shards { get; init; }
}
