using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;

namespace Mesh.Core.Routing;

/// <summary>One request to place. Immutable but for nothing; a struct so that the hot path allocates nothing.</summary>
public readonly record struct RouteRequest
{
    /// <summary>Request id, for explanations and for asking again without reserving twice.</summary>
    public required string RequestId { get; init; }

    /// <summary>Pool that the route chose.</summary>
    public required PoolId Pool { get; init; }

    /// <summary>Gateway session that will hold the lease.</summary>
    public required GatewaySession Session { get; init; }

    /// <summary>Model as the body names it; null when the call has none.</summary>
    public string? Model { get; init; }

    /// <summary>Priority from the objective; 0 without one.</summary>
    public int Priority { get; init; }

    /// <summary>Flow for fairness; empty is a flow of its own.</summary>
    public string FairnessId { get; init; }

    /// <summary>Estimated prompt length in tokens.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Cap on generated tokens from the body; 0 when it sets none.</summary>
    public int MaxOutputTokens { get; init; }

    /// <summary>True when the answer comes as a stream, so that its first byte tells when the prompt was computed.</summary>
    public bool IsStreaming { get; init; }

    /// <summary>Chained hashes of the prompt's blocks, by the layout of the pool; empty without.</summary>
    public ReadOnlyMemory<ulong> PrefixChain { get; init; }

    /// <summary>Size of the body, which the gateway holds while the request waits.</summary>
    public int BodyBytes { get; init; }

    /// <summary>Hash of the session that keeps to one endpoint; 0 without one.</summary>
    public ulong AffinityKey { get; init; }

    /// <summary>Endpoint that a session names by itself; default without one.</summary>
    public EndpointId AffinityEndpoint { get; init; }

    /// <summary>True to have the decision noted with its candidates (<see cref="PoolState.Decisions()"/>): for requests that somebody asks about, because it allocates.</summary>
    public bool Explain { get; init; }

    /// <summary>Candidates allowed by <c>x-gateway-destination-endpoint-subset</c>; default means all.</summary>
    public ImmutableArray<EndpointId> Subset { get; init; }

    /// <summary>Endpoints that already failed this request; default means none.</summary>
    public ImmutableArray<EndpointId> Excluded { get; init; }

    /// <summary>Peer regions that already refused or failed this request; default means none.</summary>
    public ImmutableArray<string> ExcludedRegions { get; init; }

    /// <summary>Peer region that sent the request here; null for a client's own. One that came from a peer is placed here or refused at once, never sent on.</summary>
    public string? OriginRegion { get; init; }

    /// <summary>Epoch of the account there that it was counted in: <see cref="RouteDecision.OriginEpoch"/> of the decision that forwarded it; 0 for a client's own.</summary>
    public long OriginEpoch { get; init; }

    /// <summary>Why it was sent here: the reason of the forwarding decision. <see cref="DecisionReason.Overfill"/> says that every region is at target.</summary>
    public DecisionReason OriginReason { get; init; }

    /// <summary>Regions that have sent it on: 0 for a client's own, 1 from a peer; more is refused.</summary>
    public int Hops { get; init; }

    /// <summary>
    /// True when another shard of the pool will be asked if this one has no room for what came from a peer: a refusal is then no answer to the peer, and counts neither
    /// as arrived nor as come in vain.
    /// </summary>
    public bool IsTentative { get; init; }
}
