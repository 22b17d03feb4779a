using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Admin.History;

/// <summary>From counts of decisions, and of what went to peers, to flows per second between regions and clusters. For one writer; readers see whole results.</summary>
/// <param name="decisions">Decisions by pool, region, cluster and reason.</param>
/// <param name="forwarded">Requests sent to peers, by peer and result.</param>
internal sealed class FlowRates(MetricFamily<Counter> decisions, MetricFamily<Counter> forwarded)
{
    private const string Answered = "answered";
    private static readonly string Overflow = Refusals.NameOf(DecisionReason.Overflow);

    private readonly Dictionary<LabelValues, long> _before = [];
    private readonly Dictionary<string, long> _forwardedBefore = [];
    private ImmutableArray<FlowShape> _current = [];

    /// <summary>Flows as of the last step.</summary>
    public ImmutableArray<FlowShape> Current => _current;

    /// <summary>Ends a step.</summary>
    /// <param name="from">Region of this gateway.</param>
    /// <param name="regionOf">Region of a peer, by its name.</param>
    /// <param name="elapsed">Since the last step; zero at the first.</param>
    public void Step(string from, Func<string, string> regionOf, TimeSpan elapsed)
    {
        var flows = ImmutableArray.CreateBuilder<FlowShape>();
        foreach (var (values, counter) in decisions.Sorted())
        {
            var total = counter.Value;
            var before = _before.GetValueOrDefault(values);
            _before[values] = total;
            // Refusals go nowhere.
            if (values.Third.Length == 0) continue;
            flows.Add(new FlowShape(values.First, from, values.Second, values.Third, values.Fourth, values.Fourth == Overflow, Rate(total - before, elapsed), total));
        }

        foreach (var (values, counter) in forwarded.Sorted())
        {
            // Which of its clusters serves them is the peer's to choose; those that it refused were placed elsewhere.
            if (values.Second != Answered) continue;
            var total = counter.Value;
            var before = _forwardedBefore.GetValueOrDefault(values.First);
            _forwardedBefore[values.First] = total;
            flows.Add(new FlowShape("", from, regionOf(values.First), "", Overflow, true, Rate(total - before, elapsed), total));
        }

        ImmutableInterlocked.InterlockedExchange(ref _current, flows.ToImmutable());
    }

    private static double Rate(long count, TimeSpan elapsed) => elapsed > TimeSpan.Zero ? Rounded.To3(count / elapsed.TotalSeconds) ?? 0 : 0;
}
