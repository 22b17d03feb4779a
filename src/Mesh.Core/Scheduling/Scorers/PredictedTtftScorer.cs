using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>
/// Prefers the soonest first token: <c>score = (min + 10) / (x + 10)</c>, x being the predicted time in milliseconds: <c>wait + queued + own + round trip</c>, where wait is the prompt
/// work that was sent there and has not answered, queued what waits in the pool for it, and own this prompt's uncached part at the endpoint's learned speed (<see cref="CostModel"/>).
/// </summary>
internal sealed class PredictedTtftScorer : IEndpointScorer
{
    // What no client notices is no reason to prefer anybody.
    private const double SlackMs = 10;

    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "predicted-ttft", "(min + 10) / (x + 10), x = wait + queued + own + round trip in ms", _ => new PredictedTtftScorer(),
        ["predicted-latency-scorer", "latency-scorer", "predicted-latency"]);

    public string Name => "predicted-ttft";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        for (var i = 0; i < candidates.Length; i++) scores[i] = context.PredictTtftMs(candidates[i]);
        RelativeLoad.ToScores(scores, SlackMs);
        UnknownScores.TakeMean(scores);
    }
}
