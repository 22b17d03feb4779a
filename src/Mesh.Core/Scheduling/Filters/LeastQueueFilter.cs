using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the lowest part of the range of queues inside the model servers: <c>x ≤ min + (max − min) / n</c> among n candidates, x being the scraped count of waiting
/// requests. Who does not tell stays.
/// </summary>
internal sealed class LeastQueueFilter : IEndpointFilter
{
    private double[] _values = [];

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "least-queue", "waiting requests (scraped) ≤ min + (max − min) / n, or unknown", _ => new LeastQueueFilter(), ["least-queue-filter"]);

    public string Name => "least-queue";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (_values.Length < candidates.Length) _values = new double[Math.Max(16, candidates.Length)];
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) _values[i] = candidates[i].WaitingRequests(freshness);
        return Keeping.AtMost(candidates, _values.AsSpan(0, candidates.Length), Keeping.LowestPart(_values.AsSpan(0, candidates.Length)));
    }
}
