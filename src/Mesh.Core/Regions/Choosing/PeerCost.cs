using System.Collections.Immutable;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
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
    /// <param name="weights">How the own region weighs work and streams.</param>
    public static PeerCost Of(in SchedulingContext context, Peer peer, int sentBlocks, in CostWeights weights)
    {
        var chain = context.Request.PrefixChain.Span;
        var held = Math.Max(sentBlocks, peer.Hot.Match(chain));
        var fresh = Of(in context, peer, peer.WaitMs, 0, in weights);
        if (held == 0) return fresh;
        // The endpoint that holds the prompt is one of many: its wait is taken for an average one. The region chooses between the two as we do.
        var report = peer.Report!;
        var cached = Of(in context, peer, Math.Max(peer.WaitMs, report.MeanWaitMs), context.Layout.TokensIn(held), in weights);
        return cached.CostMs < fresh.CostMs ? cached : fresh;
    }

    private static PeerCost Of(in SchedulingContext context, Peer peer, double waitMs, int heldTokens, in CostWeights weights)
    {
        var report = peer.Report!;
        var curve = context.Costs!.Curve;
        var prompt = Math.Max(1, context.Request.PromptTokens);
        var cached = Math.Min(heldTokens, prompt - 1);
        var work = curve.PromptMs(prompt - cached, cached);
        var own = report.MsPerToken > 0 ? work * (report.MsPerToken / curve.MsPerToken) : work;
        var cost = weights.Work * work + peer.RoundTripMs;
        if (report.PromptCosts.IsDefaultOrEmpty) return new PeerCost(cost + waitMs + own + report.MarginalDecodeMs, own, cached);
        // As told for what is not cached, and what was sent there since; what is cached is read all the same.
        var (toldMs, pushed) = Told(report.PromptCosts, prompt - cached, curve);
        return new PeerCost(cost + toldMs + (waitMs - report.WaitLadderMs[0]) + (work - curve.PromptMs(prompt - cached, 0)) + weights.PushedStreamMs * pushed, own, cached);
    }

    // Between the lengths that are told, by their work; beyond the last, as it goes on.
    private static (double Ms, double Pushed) Told(ImmutableArray<PromptCost> costs, int tokens, WorkCurve curve)
    {
        var lengths = PoolReport.PromptLengths;
        var last = Math.Min(costs.Length, lengths.Length) - 1;
        if (last == 0) return (costs[0].Ms, costs[0].Pushed);
        var at = 1;
        while (at < last && lengths[at] < tokens) at++;
        var (low, high) = (curve.PromptMs(lengths[at - 1], 0), curve.PromptMs(lengths[at], 0));
        var share = (curve.PromptMs(tokens, 0) - low) / Math.Max(1e-9, high - low);
        return (Math.Max(0, Between(costs[at - 1].Ms, costs[at].Ms, share)), Math.Max(0, Between(costs[at - 1].Pushed, costs[at].Pushed, share)));
    }

    private static double Between(double low, double high, double share) => low + (high - low) * share;
}

/// <summary>How a region weighs what a prompt takes from others, at its present load.</summary>
/// <param name="Work">Weight of the work that a prompt is.</param>
/// <param name="PushedStreamMs">What a stream costs that is pushed over its target of time per token.</param>
internal readonly record struct CostWeights(double Work, double PushedStreamMs)
{
    /// <summary>Those that a choice among the own endpoints is made by.</summary>
    public static CostWeights Of(Placer placer) => new(CostModel.WorkWeightAt(placer.MeanWaitMs), placer.PushedStreamMs);
}
