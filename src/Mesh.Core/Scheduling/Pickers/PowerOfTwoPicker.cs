using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>
/// Draws <c>choices</c> different candidates, two by default, and takes the one that scores highest; the first drawn of equal ones. With as many choices as
/// candidates it looks at all of them.
/// </summary>
internal sealed class PowerOfTwoPicker(int choices = PowerOfTwoPicker.DefaultChoices) : IEndpointPicker
{
    private const int DefaultChoices = 2;
    private const int MostChoices = 16;

    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "power-of-two", "the best of choices candidates drawn at random", a => new PowerOfTwoPicker(a.Whole("choices")), usesScores: true,
        aliases: ["power-of-two-choices"], parameters: RuleParameter.Whole("choices", DefaultChoices, 2, MostChoices, "candidates drawn"));

    public string Name => "power-of-two";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var draws = Math.Min(choices, candidates.Length);
        // Those drawn before, in rising order: a draw among the others skips them.
        Span<int> drawn = stackalloc int[MostChoices];
        var best = -1;
        for (var i = 0; i < draws; i++)
        {
            var index = random.NextInt32(candidates.Length - i);
            var at = 0;
            for (; at < i && drawn[at] <= index; at++) index++;
            for (var j = i; j > at; j--) drawn[j] = drawn[j - 1];
            drawn[at] = index;
            if (best < 0 || scores[index] > scores[best]) best = index;
        }

        return best;
    }
}
