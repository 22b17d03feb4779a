using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>Keeps the endpoints that the request allows, when it names any: <c>id ∈ subset</c>. Costs one look-up per listed id and one comparison per candidate.</summary>
internal sealed class SubsetFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("subset", "id ∈ header x-gateway-destination-endpoint-subset", () => new SubsetFilter());

    public string Name => "subset";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (context.Request.Subset.IsDefault) return candidates.Length;
        var mark = context.Endpoints.Mark(context.Request.Subset);
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            if (candidate.Mark != mark) continue;
            // Writing a reference costs a barrier: not before somebody has been left out.
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }
}
