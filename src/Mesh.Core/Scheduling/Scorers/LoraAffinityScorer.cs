using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>
/// Prefers who is ready for the request's LoRA adapter: <c>score</c> = 1 where it runs, 0.9 where it ran lately, 0.8 where a slot is free, 0.6 where it waits for a slot, 0 where every slot belongs to
/// another; 1 everywhere for a request that names no adapter.
/// </summary>
internal sealed class LoraAffinityScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "lora-affinity", "1 adapter running, 0.9 still loaded, 0.8 free slot, 0.6 waiting for a slot, 0 no slot", _ => new LoraAffinityScorer(), ["lora-affinity-scorer"]);

    public string Name => "lora-affinity";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        if (context.Adapter is not { } adapter)
        {
            scores.Fill(1);
            return;
        }

        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++)
        {
            scores[i] = candidates[i].AdapterState(adapter, freshness) switch
            {
                AdapterState.Active => 1,
                AdapterState.Loaded => 0.9,
                AdapterState.FreeSlot => 0.8,
                AdapterState.Waiting => 0.6,
                _ => 0,
            };
        }
    }
}
