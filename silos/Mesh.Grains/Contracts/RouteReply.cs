using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Grains.Contracts;

/// <summary>What a pool says to a <see cref="RouteCall"/>.</summary>
internal enum ReplyKind
{
    /// <summary>Turned away.</summary>
    Refuse = 0,

    /// <summary>Placed.</summary>
    Send = 1,

    /// <summary>Waits still: to be asked again at once.</summary>
    StillWaiting = 2,

    /// <summary>The activation does not know the gateway, or is not the one that the call was meant for: to be announced first.</summary>
    Announce = 3,

    /// <summary>The activation has been replaced by another: to be asked again a little later.</summary>
    Superseded = 4,

    /// <summary>The silo's configuration does not name the pool, or not yet.</summary>
    Unconfigured = 5,

    /// <summary>The shard gets no requests any more: to be asked elsewhere.</summary>
    Moved = 7,

    /// <summary>Goes to a peer region, or to another shard of the pool, under a lease here.</summary>
    Forward = 10,
}

/// <summary>Answer to a <see cref="RouteCall"/>.</summary>
[GenerateSerializer, Immutable, Alias("mesh.route-reply")]
internal readonly record struct RouteReply
{
    /// <summary>What happened.</summary>
    [Id(0)] public ReplyKind Kind { get; init; }

    /// <summary>Epoch of the activation.</summary>
    [Id(1)] public long Epoch { get; init; }

    /// <summary>Address of the chosen endpoint.</summary>
    [Id(2)] public string? Endpoint { get; init; }

    [Id(3)] public string? Cluster { get; init; }

    [Id(4)] public string? Zone { get; init; }

    [Id(5)] public int Port { get; init; }

    [Id(6)] public long LeaseEpoch { get; init; }

    [Id(7)] public long LeaseSequence { get; init; }

    [Id(8)] public int Reason { get; init; }

    [Id(9)] public long RetryAfterTicks { get; init; }

    /// <summary>The decision with its candidates, for calls that asked for it; null without.</summary>
    [Id(10)] public byte[]? Explained { get; init; }

    /// <summary>Version of the map of the pool's shards by which it was placed.</summary>
    [Id(12)] public long ShardsVersion { get; init; }

    /// <summary>See <see cref="LeaseWork.PromptMs"/>.</summary>
    [Id(13)] public float WorkPromptMs { get; init; }

    /// <summary>See <see cref="LeaseWork.BusyMs"/>.</summary>
    [Id(14)] public float WorkBusyMs { get; init; }

    /// <summary>Peer region or shard that gets the request, for <see cref="ReplyKind.Forward"/>.</summary>
    [Id(40)] public string? Region { get; init; }

    /// <summary>What the peer region is to be told as the request's epoch, for <see cref="ReplyKind.Forward"/>; 0 for that of the lease.</summary>
    [Id(41)] public long OriginEpoch { get; init; }

    /// <summary>The answer for a decision.</summary>
    public static RouteReply From(in RouteDecision decision, long epoch) => decision.Kind == RouteKind.Send
        ? new RouteReply
        {
            Kind = ReplyKind.Send,
            Epoch = epoch,
            Endpoint = decision.Endpoint.Address,
            Cluster = decision.Backend.Cluster,
            Zone = decision.Backend.Zone,
            Port = decision.Backend.Port,
            LeaseEpoch = decision.Lease.Epoch,
            LeaseSequence = decision.Lease.Sequence,
            Reason = (int)decision.Reason,
            WorkPromptMs = decision.Work.PromptMs,
            WorkBusyMs = decision.Work.BusyMs,
        }
        : decision.Kind == RouteKind.Forward ? new RouteReply
        {
            Kind = ReplyKind.Forward,
            Epoch = epoch,
            Region = decision.Region,
            OriginEpoch = decision.OriginEpoch,
            LeaseEpoch = decision.Lease.Epoch,
            LeaseSequence = decision.Lease.Sequence,
            Reason = (int)decision.Reason,
        }
        : new RouteReply { Kind = ReplyKind.Refuse, Epoch = epoch, Reason = (int)decision.Reason, RetryAfterTicks = decision.RetryAfter.Ticks };

    /// <summary>An answer without a decision.</summary>
    public static RouteReply Of(ReplyKind kind, long epoch) => new() { Kind = kind, Epoch = epoch };

    /// <summary>The decision, for <see cref="ReplyKind.Send"/>, <see cref="ReplyKind.Forward"/> and <see cref="ReplyKind.Refuse"/>.</summary>
    public RouteDecision ToDecision() => Kind switch
    {
        ReplyKind.Send => RouteDecision.Send(
            new EndpointId(Endpoint!), new BackendId(Cluster!, Zone!, Port), new LeaseId(LeaseEpoch, LeaseSequence), (DecisionReason)Reason) with
        {
            Work = new LeaseWork(WorkPromptMs, WorkBusyMs),
        },
        ReplyKind.Forward => RouteDecision.Forward(Region!, new LeaseId(LeaseEpoch, LeaseSequence), (DecisionReason)Reason, OriginEpoch),
        _ => RouteDecision.Refuse((DecisionReason)Reason, TimeSpan.FromTicks(RetryAfterTicks)),
    };
}
