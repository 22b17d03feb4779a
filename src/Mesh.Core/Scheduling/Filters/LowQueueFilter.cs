using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints with a short queue inside the model server: <c>x ≤ maxWaiting</c>, 5 by default, x being the scraped count of waiting requests. Who does not
/// tell stays; everyone stays when nobody would.
/// </summary>
internal sealed class LowQueueFilter(double maxWaiting = LowQueueFilter.Default) : LowValueFilter("low-queue")
{
    private const int Default = 5;

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "low-queue", "waiting requests (scraped) ≤ maxWaiting or unknown; everyone when nobody is left", a => new LowQueueFilter(a.Number("maxWaiting")), ["low-queue-filter"],
        RuleParameter.Whole("maxWaiting", Default, 0, 100_000, "longest queue that passes"));

    protected override double ValueOf(EndpointState endpoint, SampleFreshness freshness) => endpoint.WaitingRequests(freshness);

    protected override double Limit(ReadOnlySpan<double> values) => maxWaiting;
}
