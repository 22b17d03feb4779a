using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints of one place by their implicit labels: <c>(region unset ∨ region = r) ∧ (cluster unset ∨ cluster = c) ∧ (zone unset ∨ zone = z)</c>. A strict filter:
/// when nobody is left, the request is refused.
/// </summary>
internal sealed class LocationFilter(string region, string cluster, string zone) : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "location", "region, cluster and zone are those named; what is not named is not looked at",
        a => new LocationFilter(a.Text("region"), a.Text("cluster"), a.Text("zone")), ["label-selector", "by-label"],
        RuleParameter.Text("cluster", "cluster of the endpoint"), RuleParameter.Text("region", "region of the endpoint"), RuleParameter.Text("zone", "zone of the endpoint"));

    public string Name => "location";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var kept = 0;
        for (var i = 0; i < candidates.Length; i++)
        {
            var candidate = candidates[i];
            var backend = candidate.Backend;
            if (!Matches(region, backend.Region) || !Matches(cluster, backend.Id.Cluster) || !Matches(zone, backend.Id.Zone)) continue;
            if (kept != i) candidates[kept] = candidate;
            kept++;
        }

        return kept;
    }

    private static bool Matches(string wanted, string actual) => wanted.Length == 0 || wanted == actual;
}
