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

    // In a pool where everyone is busy, work done twice costs this many times itself: it is taken from those who come later.
    private const double RepeatedWorkWeight = 8;
    private double _meanWaitMs;

    public CostModel Model { get; } = model;

    /// <summary>
    /// Chooses among at least one candidate. What waits for an endpoint does not count where all have a queue: holding out for the one that
    /// has the prompt keeps work from being done twice, which is what an overloaded pool needs most. Only against an endpoint that could
    /// begin at once is a queue weighed.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="candidates">Endpoints that may take it.</param>
    /// <param name="bindAheadMs">An endpoint with less work than this, and no queue, could begin at once.</param>
    /// <param name="nowMs">Now.</param>
    public CostChoice Choose(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, double bindAheadMs, double nowMs)
    {
        var promptTokens = Math.Max(1, context.Request.PromptTokens);
        var heldBlocks = context.HeldBlocks;
        var layout = context.Layout;
        var ownWeight = CostModel.OwnWeightAt(_meanWaitMs);
        var best = new Best(random);
        var ready = new Best(random);
        var (lastHeld, tableMs, steps, cached) = (-1, 0.0, 0, 0);
        var sumWait = 0.0;
        var readyCount = 0;
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
            var besides = steps * work.StepIncrementMs;
            var own = tableMs * work.PrefillSpeed.Ratio + besides;
            var cost = (wait + ownWeight * own) * endpoint.CostScale + work.DecodeCostMs + endpoint.RoundTripMs;
            if (endpoint.HasFailures) cost += FailureMs * endpoint.FailureRequests(context.FailureDecay);
            if (cost <= best.Cost + Best.TieMs) best.Offer(i, cost, own, tableMs + besides, cached);
            if (wait >= bindAheadMs || work.QueuedMs > 0) continue;
            readyCount++;
            if (cost <= ready.Cost + Best.TieMs) ready.Offer(i, cost, own, tableMs + besides, cached);
        }

        _meanWaitMs = sumWait / candidates.Length;
        // The busier the pool, the longer a request holds out for the endpoint that has its prompt rather than have it computed again.
        var busyShare = 1 - (double)readyCount / candidates.Length;
        if (ready.Index >= 0 && ready.Cost + RepeatedWorkWeight * busyShare * busyShare * ready.OwnMs < best.Cost + Ahead(candidates[best.Index], best.OwnMs)) best = ready;
        return new CostChoice(candidates[best.Index], best.Cost, best.OwnMs, best.TableMs, best.CachedTokens);
    }

    // Of what waits for an endpoint, the shorter prompts go before this one: half of it for a prompt of average length.
    private static double Ahead(EndpointState endpoint, double ownMs)
    {
        if (endpoint.QueueCount == 0) return 0;
        var meanMs = endpoint.Work.QueuedMs / endpoint.QueueCount;
        return endpoint.Work.QueuedMs * Math.Min(1, ownMs / (2 * Math.Max(meanMs, 1e-9)));
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

    // The cheapest so far; equal ones replace each other so that each has the same chance in the end.
    private ref struct Best(Xoshiro256 random)
    {
        public const double TieMs = 1e-6;
        private readonly Xoshiro256 _random = random;
        private int _ties;

        public int Index { get; private set; } = -1;

        public double Cost { get; private set; } = double.PositiveInfinity;

        public double OwnMs { get; private set; }

        public double TableMs { get; private set; }

        public int CachedTokens { get; private set; }

        public void Offer(int index, double cost, double ownMs, double tableMs, int cachedTokens)
        {
            if (cost < Cost - TieMs)
            {
                _ties = 1;
                Cost = cost;
            }
            else if (_random.NextInt32(++_ties) != 0)
            {
                return;
            }

            (Index, OwnMs, TableMs, CachedTokens) = (index, ownMs, tableMs, cachedTokens);
        }
    }
}
