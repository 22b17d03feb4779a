using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>
/// Prefers the endpoint of the request's session: <c>score = 1</c> for <c>argmax hash(session, endpoint)</c>, 0 for the others; 0 everywhere for a request without a session. The
/// session is the request's affinity key, else its fairness id.
/// </summary>
internal sealed class SessionScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "session", "1 for argmax hash(session, endpoint), else 0", _ => new SessionScorer(), ["session-affinity-scorer", "session-affinity"]);

    public string Name => "session";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        scores.Clear();
        var key = RendezvousHash.SessionOf(in context);
        if (key != 0) scores[RendezvousHash.Best(candidates, key)] = 1;
    }
}
