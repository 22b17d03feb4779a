using Mesh.Core.Regions.Peers;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Regions.Choosing;

/// <summary>
/// What a request would cost in a peer region, in the terms of <see cref="CostModel"/>: the wait there, what was sent since the report included, its uncached
/// prompt at the speed of the endpoints there, weighted by how busy they are, one stream more, and the round trip.
/// </summary>
/// <param name="CostMs">The cost; infinite when nothing is known.</param>
/// <param name="OwnMs">Work of the prompt there.</param>
/// <param name="CachedTokens">Prompt tokens taken to be held there.</param>
internal readonly record struct PeerCost(double CostMs, double OwnMs, int CachedTokens)
{
    /// <summary>Predicts the cost.</summary>
    /// <param name="context">The request.</param>
    /// <param name="peer">A peer with a report.</param>
    /// <param name="sentBlocks">Blocks of its prompt that were forwarded there before.</param>
    public static PeerCost Of(in SchedulingContext context, Peer peer, int sentBlocks)
    {
        var chain = context.Request.PrefixChain.Span;
        var held = Math.Max(sentBlocks, peer.Hot.Match(chain));
        var fresh = Of(in context, peer, peer.WaitMs, 0);
        if (held == 0) return fresh;
        // The endpoint that holds the prompt is one of many: its wait is taken for an average one. The region chooses between the two as we do.
        var report = peer.Report!;
        var cached = Of(in context, peer, Math.Max(peer.WaitMs, report.MeanWaitMs), context.Layout.TokensIn(held));
        return cached.CostMs < fresh.CostMs ? cached : fresh;
    }

    private static PeerCost Of(in SchedulingContext context, Peer peer, double waitMs, int heldTokens)
    {
        var report = peer.Report!;
        var curve = context.Costs!.Curve;
        var prompt = Math.Max(1, context.Request.PromptTokens);
        var cached = Math.Min(heldTokens, prompt - 1);
        var work = curve.PromptMs(prompt - cached, cached);
        var own = report.MsPerToken > 0 ? work * (report.MsPerToken / curve.MsPerToken) : work;
        var cost = waitMs + own + CostModel.WorkWeightAt(report.MeanWaitMs) * work + report.MarginalDecodeMs + peer.RoundTripMs;
        return new PeerCost(cost, own, cached);
    }
}
