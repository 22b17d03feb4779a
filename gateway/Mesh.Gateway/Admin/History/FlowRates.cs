using System.Collections.Immutable;
using Mesh.Core.Routing;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Errors;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Admin.History;

/// <summary>From counts of decisions to flows per second between regions and clusters. For one writer; readers see whole results.</summary>
internal sealed class FlowRates(MetricFamily<Counter> decisions)
{
    private static readonly string Overflow = Refusals.NameOf(DecisionReason.Overflow);

    private Dictionary<LabelValues, long> _before = [];
    private ImmutableArray<FlowShape> _current = [];

    /// <summary>Flows as of the last step.</summary>
    public ImmutableArray<FlowShape> Current => _current;

    /// <summary>Ends a step.</summary>
    /// <param name="from">Region of this gateway.</param>
    /// <param name="elapsed">Since the last step; zero at the first.</param>
    public void Step(string from, TimeSpan elapsed)
    {
        var counts = new Dictionary<LabelValues, long>();
        var flows = ImmutableArray.CreateBuilder<FlowShape>();
        foreach (var (values, counter) in decisions.Sorted())
        {
            var total = counter.Value;
            counts[values] = total;
            // Refusals go nowhere.
            if (values.Third.Length == 0) continue;
            var rate = elapsed > TimeSpan.Zero ? (total - _before.GetValueOrDefault(values)) / elapsed.TotalSeconds : 0;
            flows.Add(new FlowShape(values.First, from, values.Second, values.Third, values.Fourth, values.Fourth == Overflow, Rounded.To3(rate) ?? 0, total));
        }

        _before = counts;
        ImmutableInterlocked.InterlockedExchange(ref _current, flows.ToImmutable());
    }
}
