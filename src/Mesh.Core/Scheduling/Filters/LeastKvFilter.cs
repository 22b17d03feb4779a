using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the lowest part of the range of KV-cache use: <c>u ≤ min + (max − min) / n</c> among n candidates, u being the scraped share of blocks in use. Who does not
/// tell stays.
/// </summary>
internal sealed class LeastKvFilter : IEndpointFilter
{
    private double[] _values = [];

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "least-kv", "share of KV-cache blocks in use (scraped) ≤ min + (max − min) / n, or unknown", _ => new LeastKvFilter(), ["least-kv-cache-filter"]);

    public string Name => "least-kv";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (_values.Length < candidates.Length) _values = new double[Math.Max(16, candidates.Length)];
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) _values[i] = candidates[i].KvUtilization(freshness);
        return Keeping.AtMost(candidates, _values.AsSpan(0, candidates.Length), Keeping.LowestPart(_values.AsSpan(0, candidates.Length)));
    }
}
