using System.Collections.Immutable;
using Mesh.Core.Regions.Links;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Regions.Choosing;

/// <summary>Notes how a request saw the peer regions. For people: it allocates.</summary>
internal static class RegionExplainer
{
    /// <summary>The peers, ordered by name.</summary>
    public static ImmutableArray<ExplainedRegion> Explain(in SchedulingContext context, Placer placer, PeerTable peers, TimeSpan now)
    {
        if (peers.IsEmpty) return [];
        var sent = peers.Prefixes.Match(context.Request.PrefixChain.Span);
        var shown = new List<ExplainedRegion>();
        foreach (var peer in peers.Nearest)
        {
            var cost = peer.Report is null ? new PeerCost(double.PositiveInfinity, 0, 0) : PeerCost.Of(in context, peer, sent.IsEmpty ? 0 : sent[peer.Number], CostWeights.Of(placer));
            shown.Add(new ExplainedRegion(
                peer.Region, peer.Link.State, peer.MeasuredRoundTrip?.TotalMilliseconds ?? double.PositiveInfinity, Math.Max(0, peer.Credits.Available),
                peer.FullnessWithSent(now), cost.CostMs, cost.CachedTokens, WhyNot(in context.Request, peer, now)));
        }

        shown.Sort(static (a, b) => string.CompareOrdinal(a.Region, b.Region));
        return [.. shown];
    }

    private static string? WhyNot(in RouteRequest request, Peer peer, TimeSpan now)
    {
        if (request.OriginRegion is not null) return "came-from-a-peer";
        if (!request.Subset.IsDefault) return "endpoints-listed";
        if (RegionalPlacer.IsExcluded(in request, peer.Region)) return "failed-before";
        if (peer.Link.State != PeerLinkState.Fresh) return peer.Link.State == PeerLinkState.Suspect ? "suspect" : "unreachable";
        if (peer.Report is null) return "no-such-pool";
        if (peer.Healthy == 0) return "no-ready-endpoint";
        if (!peer.Serves(request.Model)) return "unknown-model";
        if (!peer.IsUsable(now)) return "failed-just-now";
        return peer.Credits.Available > 0 ? null : "no-credits";
    }
}
