using Mesh.Core.Endpoints;

namespace Mesh.Core.Scheduling.Scorers;

/// <summary>Prefers the emptiest KV cache: <c>score = 1 - u</c>, u being the scraped share of blocks in use; unknown when there is no fresh sample.</summary>
internal sealed class KvUtilizationScorer : IEndpointScorer
{
    public string Name => "kv-utilization";

    public void Score(in SchedulingContext context, ReadOnlySpan<EndpointState> candidates, Span<double> scores)
    {
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) scores[i] = 1 - Math.Clamp(candidates[i].KvUtilization(freshness), 0, 1);
        UnknownScores.TakeMean(scores);
    }
}
