using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the smallest running batch: <c>score = (min + 1) / (x + 1)</c>, x being the scraped count of running requests; unknown when there is no fresh sample.</summary>
internal sealed class RunningRequestsScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "running-requests", "(min + 1) / (x + 1), x = requests running in the model server (scraped)", _ => new RunningRequestsScorer(),
        ["running-requests-size-scorer", "running-requests-scorer"]);

    public string Name => "running-requests";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) scores[i] = candidates[i].RunningRequests(freshness);
        RelativeLoad.ToScores(scores, slack: 1);
        UnknownScores.TakeMean(scores);
    }
}
