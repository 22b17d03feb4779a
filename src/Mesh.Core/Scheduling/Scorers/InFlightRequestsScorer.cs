using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the fewest requests in flight: <c>score = (min + 1) / (x + 1)</c>, x being the exact count of requests that were sent there and have not ended, plus the weight of recent failures (<see cref="Health.FailureLoad"/>).</summary>
internal sealed class InFlightRequestsScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "in-flight-requests", "(min + 1) / (x + 1), x = requests in flight, counted exactly", _ => new InFlightRequestsScorer(), ["active-request-scorer", "active-requests"]);

    public string Name => "in-flight-requests";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var decay = context.FailureDecay;
        for (var i = 0; i < candidates.Length; i++) scores[i] = candidates[i].LoadInRequests(decay);
        RelativeLoad.ToScores(scores, slack: 1);
    }
}
