using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints with room in the KV cache: <c>u ≤ maxUtilization</c>, 0.8 by default, u being the scraped share of blocks in use. Who does not tell stays;
/// everyone stays when nobody would.
/// </summary>
internal sealed class LowKvFilter(double maxUtilization = LowKvFilter.Default) : LowValueFilter("low-kv")
{
    private const double Default = 0.8;

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "low-kv", "share of KV-cache blocks in use (scraped) ≤ maxUtilization or unknown; everyone when nobody is left", a => new LowKvFilter(a.Number("maxUtilization")), ["low-kv-cache-filter"],
        RuleParameter.Number("maxUtilization", Default, 0, 1, "greatest share of blocks in use that passes"));

    protected override double ValueOf(EndpointState endpoint, SampleFreshness freshness) => endpoint.KvUtilization(freshness);

    protected override double Limit(ReadOnlySpan<double> values) => maxUtilization;
}
