using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>
/// Prefers the fastest stream: <c>score = (min + 1) / (x + 1)</c>, x being the predicted milliseconds of a decode step there with one stream more, by the step-time table
/// (<see cref="CostModel"/>).
/// </summary>
internal sealed class PredictedTpotScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "predicted-tpot", "(min + 1) / (x + 1), x = decode step with one stream more in ms", _ => new PredictedTpotScorer(), []);

    public string Name => "predicted-tpot";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        for (var i = 0; i < candidates.Length; i++) scores[i] = context.PredictTpotMs(candidates[i]);
        RelativeLoad.ToScores(scores, slack: 1);
        UnknownScores.TakeMean(scores);
    }
}
