using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling;

/// <summary>Says how well each candidate suits a request. Stateless; allocates nothing; costs some nanoseconds per candidate.</summary>
internal interface IEndpointScorer
{
    /// <summary>Name in profiles and explanations: lower case, words joined by hyphens.</summary>
    string Name { get; }

    /// <summary>
    /// Writes a score between 0 (worst) and 1 (best) for each candidate, in the same order. A candidate of which the rule knows nothing
    /// gets the mean of the others: not knowing makes nobody attractive, and nobody repellent.
    /// </summary>
    void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores);
}
