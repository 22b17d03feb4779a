using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Leaves out the endpoints that are ejected for failing requests: <c>ejected = false</c>. The last of the filters, and it lets everyone
/// pass when nobody else is left: better a suspicious endpoint than a refusal.
/// </summary>
internal sealed class NotEjectedFilter : IEndpointFilter
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Guard("not-ejected", "ejected = false; everyone when nobody is left", () => new NotEjectedFilter());

    public string Name => "not-ejected";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        var passing = 0;
        foreach (var candidate in candidates)
        {
            if (!candidate.IsEjected) passing++;
        }
        if (passing == 0 || passing == candidates.Length) return candidates.Length;
        var kept = 0;
        foreach (var candidate in candidates)
        {
            if (!candidate.IsEjected) candidates[kept++] = candidate;
        }

        return kept;
    }
}
