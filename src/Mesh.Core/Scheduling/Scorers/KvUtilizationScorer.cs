using Mesh.Core.Endpoints;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the emptiest KV cache: <c>score = 1 - u</c>, u being the scraped share of blocks in use; unknown when there is no fresh sample.</summary>
internal sealed class KvUtilizationScorer : IEndpointScorer
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Scorer(
        "kv-utilization", "1 − share of KV-cache blocks in use (scraped)", _ => new KvUtilizationScorer(), ["kv-cache-utilization-scorer", "kv-cache-utilization"]);

    public string Name => "kv-utilization";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) scores[i] = 1 - Math.Clamp(candidates[i].KvUtilization(freshness), 0, 1);
        UnknownScores.TakeMean(scores);
    }
}
