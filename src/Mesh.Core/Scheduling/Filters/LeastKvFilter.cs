using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the lowest part of the range of KV-cache use: <c>u ≤ min + (max − min) / n</c> among n candidates, u being the scraped share of blocks in use. Who does not
/// tell stays.
/// </summary>
internal sealed class LeastKvFilter() : LowValueFilter("least-kv")
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "least-kv", "share of KV-cache blocks in use (scraped) ≤ min + (max − min) / n, or unknown", _ => new LeastKvFilter(), ["least-kv-cache-filter"]);

    protected override double ValueOf(EndpointState endpoint, SampleFreshness freshness) => endpoint.KvUtilization(freshness);

    protected override double Limit(ReadOnlySpan<double> values) => LowestPart(values);
}
