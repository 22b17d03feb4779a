using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the fewest tokens in flight: <c>score = (min + 1024) / (x + 1024)</c>, x being prompt and expected output tokens of the requests that were sent there and have not ended, plus the weight of recent failures.</summary>
internal sealed class InFlightTokensScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "in-flight-tokens", "(min + 1024) / (x + 1024), x = tokens in flight, counted exactly", _ => new InFlightTokensScorer(), ["active-tokens"]);

    /// <summary>A thousand tokens are half a prefill step: less than that is no reason to prefer anybody.</summary>
    private const double SlackTokens = 1024;

    public string Name => "in-flight-tokens";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var decay = context.FailureDecay;
        for (var i = 0; i < candidates.Length; i++) scores[i] = candidates[i].LoadInTokens(decay);
        RelativeLoad.ToScores(scores, SlackTokens);
    }
}
