using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints where the request's LoRA adapter runs; where it runs nowhere, those with a free slot; everyone when there are none. One that has the adapter is
/// not overloaded: unless <c>least requests in flight among them − least of all ≤ maxExtraRequests</c>, 8 by default, those with a free slot pass too. A request for no adapter passes everywhere.
/// </summary>
internal sealed class LoraAffinityFilter(int maxExtraRequests) : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "lora-affinity", "adapter running, unless they have maxExtraRequests more in flight than the least loaded; else a free slot; else everyone",
        a => new LoraAffinityFilter(a.Whole("maxExtraRequests")), ["lora-affinity-filter"],
        RuleParameter.Whole("maxExtraRequests", 8, 0, 10_000, "requests in flight that affinity may cost"));

    public string Name => "lora-affinity";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (context.Adapter is not { } adapter) return candidates.Length;
        var (active, free) = (0, 0);
        var (least, leastActive) = (double.PositiveInfinity, double.PositiveInfinity);
        foreach (var candidate in candidates)
        {
            var load = candidate.LoadInRequests(context.FailureDecay);
            least = Math.Min(least, load);
            var state = candidate.AdapterState(adapter, context.Freshness);
            if (CanTake(state)) free++;
            if (state != AdapterState.Active) continue;
            active++;
            leastActive = Math.Min(leastActive, load);
        }

        if (active > 0 && (leastActive - least <= maxExtraRequests || free == 0)) return Keep(in context, adapter, candidates, withFree: false);
        return active + free == 0 ? candidates.Length : Keep(in context, adapter, candidates, withFree: true);
    }

    // Still loaded, or loaded at once.
    private static bool CanTake(AdapterState state) => state is AdapterState.Loaded or AdapterState.FreeSlot;

    private static int Keep(in SchedulingContext context, string adapter, Span<EndpointState> candidates, bool withFree)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            var state = candidate.AdapterState(adapter, context.Freshness);
            if (state != AdapterState.Active && !(withFree && CanTake(state))) continue;
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }
}
