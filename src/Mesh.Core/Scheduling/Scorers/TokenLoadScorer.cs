using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the fewest tokens in flight on an absolute scale: <c>score = 1 − min(1, tokens / fullTokens)</c>, 4,194,304 by default.</summary>
internal sealed class TokenLoadScorer(double fullTokens = TokenLoadScorer.DefaultFullTokens) : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "token-load", "1 − min(1, tokens in flight / fullTokens)", a => new TokenLoadScorer(a.Number("fullTokens")), ["token-load-scorer"],
        RuleParameter.Whole("fullTokens", DefaultFullTokens, 1, 1_000_000_000, "tokens in flight that score 0"));

    public const int DefaultFullTokens = 4_194_304;

    public string Name => "token-load";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var decay = context.FailureDecay;
        for (var i = 0; i < candidates.Length; i++) scores[i] = 1 - Math.Min(1, candidates[i].LoadInTokens(decay) / fullTokens);
    }
}
