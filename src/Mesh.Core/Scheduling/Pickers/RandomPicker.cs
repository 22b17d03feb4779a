using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>Takes each of n candidates with probability 1/n, whatever the scores.</summary>
internal sealed class RandomPicker : IEndpointPicker
{
    public string Name => "random";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random) =>
        random.NextInt32(candidates.Length);
}
