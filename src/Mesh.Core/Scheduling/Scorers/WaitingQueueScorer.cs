using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the shortest queue inside the model server: <c>score = (min + 1) / (x + 1)</c>, x being the scraped count of waiting requests; unknown when there is no fresh sample.</summary>
internal sealed class WaitingQueueScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "waiting-queue", "(min + 1) / (x + 1), x = requests waiting in the model server (scraped)", _ => new WaitingQueueScorer(), []);

    public string Name => "waiting-queue";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) scores[i] = candidates[i].WaitingRequests(freshness);
        RelativeLoad.ToScores(scores, slack: 1);
        UnknownScores.TakeMean(scores);
    }
}
