using Mesh.Core.Endpoints;
using Mesh.Core.Randomness;

namespace Mesh.Core.Scheduling;

/// <summary>Takes one of the scored candidates. Allocates nothing.</summary>
internal interface IEndpointPicker
{
    /// <summary>Name in profiles and explanations: lower case, words joined by hyphens.</summary>
    string Name { get; }

    /// <summary>Index of the choice. There is at least one candidate, and <paramref name="scores"/> is as long as the candidates.</summary>
    int Pick(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, ReadOnlySpan<double> scores, Xoshiro256 random);
}
