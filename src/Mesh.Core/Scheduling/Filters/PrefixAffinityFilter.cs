using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints that hold at least 80% of the prompt, unless the one of them with the fewest tokens in flight would take 18 s longer to answer than the
/// least loaded of all, at 15,928 tokens per second. Lets everyone pass when nobody is left.
/// </summary>
internal sealed class PrefixAffinityFilter : IEndpointFilter
{
    private const double HeldShare = 0.8;
    private const double TokensPerSecond = 15_928;
    private const double MostPenaltySeconds = 18;

    public string Name => "prefix-affinity";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var needed = HeldShare * Math.Max(1, context.Request.PromptTokens);
        var (least, leastHolding, holding) = (double.PositiveInfinity, double.PositiveInfinity, 0);
        foreach (var candidate in candidates)
        {
            var tokens = candidate.LoadInTokens(context.FailureDecay);
            least = Math.Min(least, tokens);
            if (context.TokensHeldBy(candidate) < needed) continue;
            leastHolding = Math.Min(leastHolding, tokens);
            holding++;
        }

        if (holding == 0 || (leastHolding - least) / TokensPerSecond > MostPenaltySeconds) return candidates.Length;
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (context.TokensHeldBy(candidates[i]) >= needed) candidates[kept++] = candidates[i];
        }

        return kept;
    }
}
