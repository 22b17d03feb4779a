using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;

namespace Mesh.Core.Routing;

/// <summary>What became of a request: sent to an endpoint or forwarded to a peer region under a lease, refused with a reason, or left to wait.</summary>
public readonly record struct RouteDecision
{
    // The ticket of a wait, or the epoch of what is forwarded: never both.
    private readonly long _number;

    private RouteDecision(RouteKind kind, EndpointId endpoint, BackendId backend, LeaseId lease, DecisionReason reason, TimeSpan retryAfter, long number = 0, string? region = null)
    {
        Region = region;
        _number = number;
        Kind = kind;
        Endpoint = endpoint;
        Backend = backend;
        Lease = lease;
        Reason = reason;
        RetryAfter = retryAfter;
    }

    /// <summary>Send, refuse or wait.</summary>
    public RouteKind Kind { get; }

    /// <summary>Chosen endpoint, for <see cref="RouteKind.Send"/>.</summary>
    public EndpointId Endpoint { get; }

    /// <summary>Backend of the chosen endpoint, for <see cref="RouteKind.Send"/>.</summary>
    public BackendId Backend { get; }

    /// <summary>Peer region whose gateway gets the request, for <see cref="RouteKind.Forward"/>; else null.</summary>
    public string? Region { get; }

    /// <summary>The reservation to complete, for <see cref="RouteKind.Send"/> and <see cref="RouteKind.Forward"/>.</summary>
    public LeaseId Lease { get; }

    /// <summary>What the request is predicted to cost its endpoint, for <see cref="RouteKind.Send"/>: to be announced with the lease.</summary>
    public LeaseWork Work { get; init; }

    /// <summary>Why.</summary>
    public DecisionReason Reason { get; }

    /// <summary>When trying again makes sense, for refusals that pass; else zero.</summary>
    public TimeSpan RetryAfter { get; }

    /// <summary>Number of the wait, for <see cref="RouteKind.Wait"/>: the final decision comes under it.</summary>
    public long Ticket => Kind == RouteKind.Wait ? _number : 0;

    /// <summary>
    /// What the peer region gets as <see cref="RouteRequest.OriginEpoch"/>, for <see cref="RouteKind.Forward"/>: the epoch of the account that the request was counted
    /// in, which the shards of a pool have in common; else 0.
    /// </summary>
    public long OriginEpoch => Kind == RouteKind.Forward ? _number : 0;

    /// <summary>The request goes to <paramref name="endpoint"/>.</summary>
    public static RouteDecision Send(EndpointId endpoint, BackendId backend, LeaseId lease, DecisionReason reason) =>
        new(RouteKind.Send, endpoint, backend, lease, reason, TimeSpan.Zero);

    /// <summary>
    /// The request goes to a gateway of peer region <paramref name="region"/>, with <see cref="OriginEpoch"/> as <see cref="RouteRequest.OriginEpoch"/> and
    /// <paramref name="reason"/> as <see cref="RouteRequest.OriginReason"/>. When the peer refuses it, the lease is completed with
    /// <see cref="OutcomeKind.PeerRefused"/> and the request routed again with the region among <see cref="RouteRequest.ExcludedRegions"/>.
    /// </summary>
    /// <param name="region">The peer.</param>
    /// <param name="lease">The lease.</param>
    /// <param name="reason">Why.</param>
    /// <param name="originEpoch">Epoch of the account; 0 for that of the lease.</param>
    public static RouteDecision Forward(string region, LeaseId lease, DecisionReason reason, long originEpoch = 0) =>
        new(RouteKind.Forward, default, default, lease, reason, TimeSpan.Zero, originEpoch == 0 ? lease.Epoch : originEpoch, region);

    /// <summary>The request waits; a state machine says so to its host, a router never to a gateway.</summary>
    public static RouteDecision Wait(long ticket) => new(RouteKind.Wait, default, default, default, DecisionReason.Waiting, default, ticket);

    /// <summary>The request is turned away.</summary>
    public static RouteDecision Refuse(DecisionReason reason, TimeSpan retryAfter = default) =>
        new(RouteKind.Refuse, default, default, default, reason, retryAfter);
}

/// <summary>Kind of a decision.</summary>
public enum RouteKind
{
    /// <summary>Turned away.</summary>
    Refuse,

    /// <summary>Placed under a lease.</summary>
    Send,

    /// <summary>Waits for a place.</summary>
    Wait,

    /// <summary>Sent to a peer region under a lease.</summary>
    Forward,
}
