using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the fewest tokens in flight on an absolute scale: <c>score = 1 − min(1, tokens / 4,194,304)</c>.</summary>
internal sealed class TokenLoadScorer : IEndpointScorer
{
    private const double FullTokens = 4_194_304;

    public string Name => "token-load";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var decay = context.FailureDecay;
        for (var i = 0; i < candidates.Length; i++) scores[i] = 1 - Math.Min(1, candidates[i].LoadInTokens(decay) / FullTokens);
    }
}
