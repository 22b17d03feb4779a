using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the lowest part of the range of queues inside the model servers: <c>x ≤ min + (max − min) / n</c> among n candidates, x being the scraped count of waiting
/// requests. Who does not tell stays.
/// </summary>
internal sealed class LeastQueueFilter() : LowValueFilter("least-queue")
{
    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "least-queue", "waiting requests (scraped) ≤ min + (max − min) / n, or unknown", _ => new LeastQueueFilter(), ["least-queue-filter"]);

    protected override double ValueOf(EndpointState endpoint, SampleFreshness freshness) => endpoint.WaitingRequests(freshness);

    protected override double Limit(ReadOnlySpan<double> values) => LowestPart(values);
}
