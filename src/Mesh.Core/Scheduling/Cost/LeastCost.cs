using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling.Cost;

/// <summary>
/// Chooses the endpoint of least predicted cost (<see cref="CostModel"/>) in one pass over the candidates; among equal ones each with the
/// same probability.
/// </summary>
internal sealed class LeastCost(CostModel model, Xoshiro256 random)
{
    // A failure within the last seconds weighs as much as this for every request that it counts as.
    private const double FailureMs = 100;
    private const double TieMs = 1e-6;
    private double _meanWaitMs;

    public CostModel Model { get; } = model;

    /// <summary>Chooses among at least one candidate.</summary>
    /// <param name="context">The request.</param>
    /// <param name="candidates">Endpoints that may take it.</param>
    /// <param name="nowMs">Now.</param>
    public CostChoice Choose(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, double nowMs)
    {
        var promptTokens = Math.Max(1, context.Request.PromptTokens);
        var heldBlocks = context.HeldBlocks;
        var layout = context.Layout;
        var ownWeight = CostModel.OwnWeightAt(_meanWaitMs);
        var decay = context.FailureDecay;
        var best = -1;
        var ties = 0;
        var (bestCost, bestOwn, bestTable, bestCached) = (double.PositiveInfinity, 0.0, 0.0, 0);
        var (lastHeld, tableMs, steps, cached) = (-1, 0.0, 0, 0);
        var sumWait = 0.0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var endpoint = candidates[i];
            var work = endpoint.Work;
            var held = heldBlocks.IsEmpty ? 0 : heldBlocks[endpoint.Slot];
            if (held != lastHeld)
            {
                lastHeld = held;
                // Even a prompt that is cached as a whole has its last token computed.
                cached = Math.Min(layout.TokensIn(held), promptTokens - 1);
                tableMs = Model.Curve.PromptMs(promptTokens - cached, cached);
                steps = WorkCurve.Steps(promptTokens - cached);
            }

            var wait = work.WaitMs(nowMs);
            sumWait += wait;
            var own = tableMs * work.PrefillSpeed.Ratio + steps * work.StepIncrementMs;
            var cost = (wait + work.QueuedMs + ownWeight * own) * endpoint.CostScale + work.DecodeCostMs + endpoint.RoundTripMs;
            if (endpoint.HasFailures) cost += FailureMs * endpoint.FailureRequests(decay);
            if (cost < bestCost - TieMs)
            {
                (best, bestCost, bestOwn, bestTable, bestCached, ties) = (i, cost, own, tableMs + steps * work.StepIncrementMs, cached, 1);
            }
            else if (cost <= bestCost + TieMs && random.NextInt32(++ties) == 0)
            {
                (best, bestOwn, bestTable, bestCached) = (i, own, tableMs + steps * work.StepIncrementMs, cached);
            }
        }

        _meanWaitMs = sumWait / candidates.Length;
        return new CostChoice(candidates[best], bestCost, bestOwn, bestTable, bestCached);
    }

    /// <summary>Cost of an endpoint to the request that is next in its queue: by the same formula, without the queue behind it.</summary>
    public double CostOfNext(in SchedulingContext context, EndpointState endpoint, double nowMs)
    {
        var promptTokens = Math.Max(1, context.Request.PromptTokens);
        var cached = Math.Min(context.TokensHeldBy(endpoint), promptTokens - 1);
        var work = endpoint.Work;
        var own = Model.Curve.PromptMs(promptTokens - cached, cached) * work.PrefillSpeed.Ratio + WorkCurve.Steps(promptTokens - cached) * work.StepIncrementMs;
        return (work.WaitMs(nowMs) + CostModel.OwnWeightAt(_meanWaitMs) * own) * endpoint.CostScale
            + work.DecodeCostMs + endpoint.RoundTripMs + FailureMs * endpoint.FailureRequests(context.FailureDecay);
    }
}
