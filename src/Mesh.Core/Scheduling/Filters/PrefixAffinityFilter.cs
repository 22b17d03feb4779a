using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints that hold enough of the prompt, <c>tokens held ≥ heldShare · prompt tokens</c>, unless the least loaded of them would take too much longer than
/// the least loaded of all: <c>(least tokens in flight among them − least of all) / tokensPerSecond > maxPenaltySeconds</c>. Lets everyone pass when nobody is left. By
/// default a share of 0.8, 15,928 tokens per second and 18 s.
/// </summary>
internal sealed class PrefixAffinityFilter(
    double heldShare = PrefixAffinityFilter.DefaultHeldShare, double tokensPerSecond = PrefixAffinityFilter.DefaultTokensPerSecond,
    double maxPenaltySeconds = PrefixAffinityFilter.DefaultMaxPenaltySeconds) : IEndpointFilter
{
    private const double DefaultHeldShare = 0.8;
    private const double DefaultTokensPerSecond = 15_928;
    private const double DefaultMaxPenaltySeconds = 18;

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "prefix-affinity", "tokens held ≥ heldShare · prompt tokens, unless that costs more than maxPenaltySeconds; everyone when nobody is left",
        a => new PrefixAffinityFilter(a.Number("heldShare"), a.Number("tokensPerSecond"), a.Number("maxPenaltySeconds")),
        ["prefix-cache-affinity-filter"],
        RuleParameter.Number("heldShare", DefaultHeldShare, 0.01, 1, "share of the prompt that counts as held"),
        RuleParameter.Number("maxPenaltySeconds", DefaultMaxPenaltySeconds, 0, 3600, "longer wait that affinity may cost"),
        RuleParameter.Number("tokensPerSecond", DefaultTokensPerSecond, 1, 10_000_000, "speed at which tokens in flight count as time"));

    public string Name => "prefix-affinity";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var needed = heldShare * Math.Max(1, context.Request.PromptTokens);
        var (least, leastHolding, holding) = (double.PositiveInfinity, double.PositiveInfinity, 0);
        foreach (var candidate in candidates)
        {
            var tokens = candidate.LoadInTokens(context.FailureDecay);
            least = Math.Min(least, tokens);
            if (context.TokensHeldBy(candidate) < needed) continue;
            leastHolding = Math.Min(leastHolding, tokens);
            holding++;
        }

        if (holding == 0 || (leastHolding - least) / tokensPerSecond > maxPenaltySeconds) return candidates.Length;
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            if (context.TokensHeldBy(candidates[i]) >= needed) candidates[kept++] = candidates[i];
        }

        return kept;
    }
}
