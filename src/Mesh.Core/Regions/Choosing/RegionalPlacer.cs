using Mesh.Core.Regions.Peers;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Regions.Choosing;

/// <summary>
/// Finds the place of a request among the own endpoints and the peer regions. Where a policy sets targets: preferred backends first, nearest first, each up
/// to its target, then the others likewise, and when every region is at target all of them in proportion to capacity. Where none does: wherever its predicted
/// cost is least, the round trip being part of the cost. Peers get what their credits allow. A request that came from a peer is placed here or nowhere.
/// </summary>
internal sealed class RegionalPlacer(PeerTable peers)
{
    // What a region must be better by: figures of a peer are a little old, and two regions must not pass each other their requests.
    private const double WorthLeavingMs = 5;
    private const double WorthLeavingShare = 0.2;
    private const double WorthLeavingFullness = 0.02;

    /// <summary>Chooses a place.</summary>
    /// <param name="context">The request and what was looked up for it.</param>
    /// <param name="placer">Chooses among the own endpoints.</param>
    /// <param name="backends">The own backends.</param>
    /// <param name="now">Now.</param>
    /// <param name="overfill">Whether a backend at target may be chosen when all are.</param>
    public Placement Place(in SchedulingContext context, Placer placer, BackendTable backends, TimeSpan now, bool overfill)
    {
        if (peers.IsEmpty || !MayLeave(in context.Request)) return placer.Place(in context, backends, now, overfill);
        return backends.IsFree && !peers.HasPreferred(now)
            ? PlaceByCost(in context, placer, backends, now, overfill)
            : PlaceByTarget(in context, placer, backends, now, overfill);
    }

    /// <summary>A peer that is cheaper than what a waiting request has, by more than it takes to move it; null when none is.</summary>
    /// <param name="context">The request.</param>
    /// <param name="costMs">Cost of the place that it waits for.</param>
    /// <param name="now">Now.</param>
    public Placement? Cheaper(in SchedulingContext context, double costMs, TimeSpan now)
    {
        if (peers.IsEmpty || !MayLeave(in context.Request)) return null;
        var (peer, cost) = Cheapest(in context, now, needsCredits: true);
        return peer is not null && cost.CostMs + WorthLeaving(peer, 0) < costMs ? To(peer, in cost, DecisionReason.LeastCost) : null;
    }

    /// <summary>True when a peer may take the request at all, credits aside; else why not.</summary>
    public static bool IsEligible(in RouteRequest request, Peer peer, TimeSpan now) =>
        peer.IsUsable(now) && peer.Serves(request.Model) && !IsExcluded(in request, peer.Region);

    /// <summary>True when a request already failed with a region, or was refused by it.</summary>
    public static bool IsExcluded(in RouteRequest request, string region)
    {
        if (request.ExcludedRegions.IsDefaultOrEmpty) return false;
        foreach (var excluded in request.ExcludedRegions)
        {
            if (string.Equals(excluded, region, StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary>True for a client's own request: one that was sent on once is not sent on again. Lists of endpoints name those of the own region.</summary>
    public static bool MayLeave(in RouteRequest request) => request.OriginRegion is null && request.Hops == 0 && request.Subset.IsDefault;

    private Placement PlaceByCost(in SchedulingContext context, Placer placer, BackendTable backends, TimeSpan now, bool overfill)
    {
        var local = placer.Place(in context, backends, now, overfill);
        if (local.Reason == DecisionReason.SessionAffinity) return local;
        var localMs = local.Endpoint is null ? double.PositiveInfinity : CostOf(in context, placer, in local);
        var (peer, cost) = Cheapest(in context, now, needsCredits: true);
        if (peer is not null && cost.CostMs + WorthLeaving(peer, localMs) < localMs) return To(peer, in cost, DecisionReason.LeastCost);
        if (local.Endpoint is not null) return local;

        // Nobody here can take it, and every region is full: better late than never.
        peers.OnOverflow(now);
        if (!overfill) return local;
        (peer, cost) = Cheapest(in context, now, needsCredits: false);
        return peer is null ? local : To(peer, in cost, DecisionReason.Overfill);
    }

    // The way is paid once as time, and once more because what is done far away is missing there; and a gain is a prediction.
    private static double WorthLeaving(Peer peer, double localMs) => WorthLeavingMs + peer.RoundTripMs + (WorthLeavingShare * localMs);

    private Placement PlaceByTarget(in SchedulingContext context, Placer placer, BackendTable backends, TimeSpan now, bool overfill)
    {
        // :: Step 1: preferred backends come first, wherever they are. A session keeps to its own endpoint.
        if (peers.HasPreferred(now) && context.Request.AffinityKey == 0 && context.Request.AffinityEndpoint.Address is null
            && !backends.Selector.HasPreferredRoom(now) && Nearest(in context, preferred: true, now) is { } preferred)
        {
            return To(preferred, PeerCost.Of(in context, preferred, 0), DecisionReason.Overflow);
        }

        // :: Step 2: room at home.
        var local = placer.Place(in context, backends, now, overfill: false);
        if (local.Endpoint is not null && !local.PassesOn && local.Reason != DecisionReason.LastResort) return local;

        // :: Step 3: the nearest peer with room, then what home would rather have passed on.
        if (Nearest(in context, preferred: false, now) is { } nearest) return To(nearest, PeerCost.Of(in context, nearest, 0), DecisionReason.Overflow);
        if (local.Endpoint is not null) return local;
        peers.OnOverflow(now);
        if (!overfill) return local;

        // :: Step 4: every region is at target: wherever the load is least for the capacity.
        var home = local.Reason == DecisionReason.Saturated ? backends.OverallFullness(now) : double.PositiveInfinity;
        var least = LeastFull(in context, now, (home ?? double.NegativeInfinity) - WorthLeavingFullness);
        return least is null
            ? placer.Place(in context, backends, now, overfill: true)
            : To(least, PeerCost.Of(in context, least, 0), DecisionReason.Overfill) with { WithinTarget = false };
    }

    private (Peer? Peer, PeerCost Cost) Cheapest(in SchedulingContext context, TimeSpan now, bool needsCredits)
    {
        Peer? cheapest = null;
        var least = new PeerCost(double.PositiveInfinity, 0, 0);
        var leastMs = double.PositiveInfinity;
        var sent = ReadOnlySpan<int>.Empty;
        var looked = false;
        foreach (var peer in peers.Nearest)
        {
            if ((needsCredits && peer.Credits.Available <= 0) || !IsEligible(in context.Request, peer, now)) continue;
            if (!looked) sent = peers.Prefixes.Match(context.Request.PrefixChain.Span);
            looked = true;
            var cost = PeerCost.Of(in context, peer, sent.IsEmpty ? 0 : sent[peer.Number]);
            if (cost.CostMs + peer.RoundTripMs >= leastMs) continue;
            (cheapest, least, leastMs) = (peer, cost, cost.CostMs + peer.RoundTripMs);
        }

        return (cheapest, least);
    }

    private Peer? Nearest(in SchedulingContext context, bool preferred, TimeSpan now)
    {
        foreach (var peer in peers.Nearest)
        {
            var credits = preferred ? peer.Credits.AvailablePreferred : peer.Credits.Available;
            if (credits > 0 && IsEligible(in context.Request, peer, now)) return peer;
        }

        return null;
    }

    private Peer? LeastFull(in SchedulingContext context, TimeSpan now, double below)
    {
        Peer? least = null;
        foreach (var peer in peers.Nearest)
        {
            if (peer.FullnessWithSent(now) is not { } fullness || fullness >= below || !IsEligible(in context.Request, peer, now)) continue;
            (least, below) = (peer, fullness);
        }

        return least;
    }

    private static Placement To(Peer peer, in PeerCost cost, DecisionReason reason) => new(null, reason)
    {
        Peer = peer,
        WithinTarget = true,
        CostMs = cost.CostMs,
        OwnMs = cost.OwnMs,
        CachedTokens = cost.CachedTokens,
    };

    // A profile that does not go by cost has chosen all the same: what that costs is comparable.
    private static double CostOf(in SchedulingContext context, Placer placer, in Placement local)
    {
        if (placer.PredictsCosts) return local.CostMs;
        ref readonly var row = ref context.Endpoints.Costs.Rows[local.Endpoint!.Slot];
        var wait = row.WaitMs(context.NowMs);
        return wait + row.QueuedMs + local.OwnMs + CostModel.WorkWeightAt(wait) * local.TableMs + row.DecodeMs + row.RoundTripMs;
    }
}
