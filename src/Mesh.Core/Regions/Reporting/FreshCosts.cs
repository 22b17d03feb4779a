using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// What prompts of several lengths would cost in this region, by the very pass that chooses endpoints: peers compare it with what they predict for their own,
/// and a prediction that leaves out on one side what it counts on the other sends requests the wrong way. Choosing is not touched by it.
/// </summary>
internal sealed class FreshCosts(EndpointTable endpoints, PoolClock clock)
{
    private readonly HeldCosts _heldCosts = new();
    // Ties do not matter here, and the pool's own numbers must come as they would without peers.
    private readonly Xoshiro256 _random = new(1);

    /// <summary>Costs for each of <see cref="PoolReport.PromptLengths"/>.</summary>
    /// <param name="model">The pool's model of costs.</param>
    /// <param name="excluded">Backends that take no requests, by index.</param>
    /// <param name="meanWaitMs">Mean wait of the ready endpoints.</param>
    /// <param name="beginsAtOnceMs">Outstanding work below which an endpoint begins a prompt as good as at once.</param>
    /// <param name="busyShare">Share of them that could not begin a prompt at once.</param>
    public ImmutableArray<PromptCost> Of(CostModel model, ReadOnlySpan<bool> excluded, double meanWaitMs, double beginsAtOnceMs, double busyShare)
    {
        var timestamp = clock.Now;
        var nowMs = clock.SinceStart(timestamp).TotalMilliseconds;
        var lengths = PoolReport.PromptLengths;
        var costs = ImmutableArray.CreateBuilder<PromptCost>(lengths.Length);
        foreach (var length in lengths)
        {
            var request = new RouteRequest { RequestId = "", Pool = default, Session = default, FairnessId = "", PromptTokens = length };
            var context = new SchedulingContext(in request, null, endpoints, clock.Freshness(timestamp), clock.FailureDecay(timestamp)) { Costs = model, NowMs = nowMs };
            var scan = new CostScan(
                in context, model, _heldCosts, CostModel.WorkWeightAt(meanWaitMs), CostModel.PushedStreamMsAt(busyShare), CostModel.KvShareAt(meanWaitMs), beginsAtOnceMs, nowMs, null, _random);
            var rows = endpoints.Costs.Rows;
            for (var slot = 0; slot < rows.Length; slot++)
            {
                ref readonly var row = ref rows[slot];
                if (row.IsReady && !excluded[row.Backend]) scan.Look(in context, slot, in row, endpoints, held: 0);
            }

            if (scan.Count == 0) return [];
            // As choosing goes: what waits for the cheapest counts only against one that could begin at once.
            var (best, bestMs) = (scan.Cheapest, scan.Cheapest.Cost + rows[scan.Cheapest.Slot].QueuedMs * rows[scan.Cheapest.Slot].Scale);
            if (scan.CheapestReady.Slot >= 0 && scan.CheapestReady.Cost < bestMs) (best, bestMs) = (scan.CheapestReady, scan.CheapestReady.Cost);
            var pushed = endpoints.InSlot(best.Slot).Work.PushedOver(rows[best.Slot].WaitMs(nowMs), best.OwnMs, length, nowMs, model);
            // What the receiver weighs by its own measure is left out: one measure for both sides of its comparison.
            var cost = bestMs - CostModel.WorkWeightAt(meanWaitMs) * best.TableMs - CostModel.PushedStreamMsAt(busyShare) * pushed;
            costs.Add(new PromptCost((float)Math.Round(cost, 1), pushed));
        }

        return costs.MoveToImmutable();
    }
}
