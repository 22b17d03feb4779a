using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>Takes each candidate with probability <c>score / Σ scores</c>, by one random number; each with the same one when all score 0.</summary>
internal sealed class WeightedRandomPicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "weighted-random", "each with probability score / Σ scores", _ => new WeightedRandomPicker(), usesScores: true, aliases: ["weighted-random-picker"]);

    public string Name => "weighted-random";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var sum = 0d;
        foreach (var score in scores) sum += score;
        if (!(sum > 0)) return random.NextInt32(candidates.Length);
        var left = random.NextDouble() * sum;
        var last = 0;
        for (var i = 0; i < scores.Length; i++)
        {
            if (scores[i] <= 0) continue;
            last = i;
            if ((left -= scores[i]) < 0) return i;
        }

        // Rounding can leave a hair over.
        return last;
    }
}
