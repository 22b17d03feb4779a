using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>Leaves out the endpoints that are to finish what they have: <c>draining = false</c>.</summary>
internal sealed class NotDrainingFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("not-draining", "draining = false", () => new NotDrainingFilter());

    public string Name => "not-draining";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            if (candidate.Draining) continue;
            // Writing a reference costs a barrier: not before somebody has been left out.
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }
}
