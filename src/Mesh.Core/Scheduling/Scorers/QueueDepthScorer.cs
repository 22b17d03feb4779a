using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the shortest queue inside the model server, on a scale from the longest to the shortest: <c>score = (max − x) / (max − min)</c>, 1 when all are equal; x being the scraped count of waiting requests, unknown when there is no fresh sample.</summary>
internal sealed class QueueDepthScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "queue-depth", "(max − x) / (max − min), x = requests waiting in the model server (scraped); 1 when all are equal", _ => new QueueDepthScorer(), ["queue-scorer", "queue"]);

    public string Name => "queue-depth";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var freshness = context.Freshness;
        var (least, most) = (double.PositiveInfinity, double.NegativeInfinity);
        for (var i = 0; i < candidates.Length; i++)
        {
            var waiting = candidates[i].WaitingRequests(freshness);
            scores[i] = waiting;
            // Both false for NaN: an unknown queue is neither the shortest nor the longest.
            if (waiting < least) least = waiting;
            if (waiting > most) most = waiting;
        }

        foreach (ref var score in scores) score = most > least ? (most - score) / (most - least) : double.IsNaN(score) ? score : 1;
        UnknownScores.TakeMean(scores);
    }
}
