using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>Leaves out the endpoints that have already failed this request: <c>id ∉ excluded</c>. Costs one look-up per listed id and one comparison per candidate.</summary>
internal sealed class NotExcludedFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("not-excluded", "id ∉ endpoints that failed this request", () => new NotExcludedFilter());

    public string Name => "not-excluded";

    public DecisionReason WhenEmpty => DecisionReason.AllAttemptsFailed;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (context.Request.Excluded.IsDefaultOrEmpty) return candidates.Length;
        var mark = context.Endpoints.Mark(context.Request.Excluded);
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            if (candidate.Mark == mark) continue;
            // Writing a reference costs a barrier: not before somebody has been left out.
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }
}
