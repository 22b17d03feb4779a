using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>Keeps the endpoints that their probes call healthy: <c>health = Healthy</c>. An endpoint without a verdict yet is not ready.</summary>
internal sealed class HealthyFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("healthy", "health = Healthy", () => new HealthyFilter());

    public string Name => "healthy";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            if (candidate.Health != EndpointHealth.Healthy) continue;
            // Writing a reference costs a barrier: not before somebody has been left out.
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }
}
