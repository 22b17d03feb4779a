using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints with room in the KV cache: <c>u ≤ maxUtilization</c>, 0.8 by default, u being the scraped share of blocks in use. Who does not tell stays;
/// everyone stays when nobody would.
/// </summary>
internal sealed class LowKvFilter(double maxUtilization = LowKvFilter.Default) : IEndpointFilter
{
    private const double Default = 0.8;
    private double[] _values = [];

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "low-kv", "share of KV-cache blocks in use (scraped) ≤ maxUtilization or unknown; everyone when nobody is left", a => new LowKvFilter(a.Number("maxUtilization")), ["low-kv-cache-filter"],
        RuleParameter.Number("maxUtilization", Default, 0, 1, "greatest share of blocks in use that passes"));

    public string Name => "low-kv";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (_values.Length < candidates.Length) _values = new double[Math.Max(16, candidates.Length)];
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) _values[i] = candidates[i].KvUtilization(freshness);
        return Keeping.AtMost(candidates, _values.AsSpan(0, candidates.Length), maxUtilization);
    }
}
