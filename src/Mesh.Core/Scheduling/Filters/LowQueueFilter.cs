using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling.Rules;

namespace Mesh.Core.Scheduling.Filters;

/// <summary>
/// Keeps the endpoints with a short queue inside the model server: <c>x ≤ maxWaiting</c>, 5 by default, x being the scraped count of waiting requests. Who does not
/// tell stays; everyone stays when nobody would.
/// </summary>
internal sealed class LowQueueFilter(double maxWaiting = LowQueueFilter.Default) : IEndpointFilter
{
    private const int Default = 5;
    private double[] _values = [];

    public static RuleDefinition Rule { get; } = RuleDefinition.Filter(
        "low-queue", "waiting requests (scraped) ≤ maxWaiting or unknown; everyone when nobody is left", a => new LowQueueFilter(a.Number("maxWaiting")), ["low-queue-filter"],
        RuleParameter.Whole("maxWaiting", Default, 0, 100_000, "longest queue that passes"));

    public string Name => "low-queue";

    public DecisionReason WhenEmpty => DecisionReason.NoReadyEndpoint;

    public int Filter(in SchedulingContext context, Span<EndpointState> candidates)
    {
        if (_values.Length < candidates.Length) _values = new double[Math.Max(16, candidates.Length)];
        var freshness = context.Freshness;
        for (var i = 0; i < candidates.Length; i++) _values[i] = candidates[i].WaitingRequests(freshness);
        return Keeping.AtMost(candidates, _values.AsSpan(0, candidates.Length), maxWaiting);
    }
}
