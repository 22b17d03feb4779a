using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>
/// Takes the candidate of least predicted cost (formula: <see cref="CostModel"/>), and is the only picker that can bind late. It needs no scores. The choice itself is
/// <see cref="LeastCost"/>, which looks at all of a pool's endpoints at once; this one stands for it in a profile, and where it is asked by itself it takes the soonest first token.
/// </summary>
internal sealed class LeastCostPicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "least-cost", "argmin predicted cost, with late binding", _ => new LeastCostPicker(), predictsCosts: true, aliases: ["predicted-cost"]);

    public string Name => "least-cost";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var (best, bestMs, ties) = (0, double.PositiveInfinity, 0);
        for (var i = 0; i < candidates.Length; i++)
        {
            var ms = context.PredictTtftMs(candidates[i]);
            if (ms > bestMs) continue;
            if (ms < bestMs) ties = 0;
            if (random.NextInt32(++ties) == 0) best = i;
            bestMs = ms;
        }

        return best;
    }
}
