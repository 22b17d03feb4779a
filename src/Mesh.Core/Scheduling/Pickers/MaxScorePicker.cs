using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>
/// Takes the highest score; among k equal ones each with probability 1/k, by one random number. Always taking the first of the equal would
/// send every request of an idle pool to the same endpoint.
/// </summary>
internal sealed class MaxScorePicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "max-score", "argmax score; each of k equal ones with probability 1/k", _ => new MaxScorePicker(), usesScores: true, aliases: ["max-score-picker"]);

    public string Name => "max-score";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var best = 0;
        var ties = 1;
        for (var i = 1; i < scores.Length; i++)
        {
            if (scores[i] > scores[best])
            {
                best = i;
                ties = 1;
            }
            else if (scores[i] == scores[best])
            {
                ties++;
            }
        }

        if (ties == 1) return best;
        var left = random.NextInt32(ties);
        for (var i = best; ; i++)
        {
            if (scores[i] == scores[best] && left-- == 0) return i;
        }
    }
}
