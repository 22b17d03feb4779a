using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>Takes each of n candidates with probability 1/n, whatever the scores.</summary>
internal sealed class RandomPicker : IEndpointPicker
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Picker(
        "random", "each of n with probability 1/n", _ => new RandomPicker(), usesScores: false, aliases: ["random-picker"]);

    public string Name => "random";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random) =>
        random.NextInt32(candidates.Length);
}
