using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers who holds most of the prompt: <c>score = tokens held / prompt tokens</c>, 0–1; 0 for a prompt without block hashes.</summary>
internal sealed class PrefixScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "prefix", "prompt tokens held / prompt tokens", _ => new PrefixScorer(), ["prefix-cache-scorer", "prefix-cache", "precise-prefix-cache-scorer"]);

    public string Name => "prefix";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var prompt = Math.Max(1, context.Request.PromptTokens);
        for (var i = 0; i < candidates.Length; i++) scores[i] = Math.Min(1, (double)context.TokensHeldBy(candidates[i]) / prompt);
    }
}
