using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling.Pickers;

/// <summary>Draws two different candidates and takes the one that scores higher; the first drawn when they are equal.</summary>
internal sealed class PowerOfTwoPicker : IEndpointPicker
{
    public string Name => "power-of-two";

    public int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random)
    {
        var first = random.NextInt32(candidates.Length);
        if (candidates.Length == 1) return first;
        var second = random.NextInt32(candidates.Length - 1);
        if (second >= first) second++;
        return scores[second] > scores[first] ? second : first;
    }
}
