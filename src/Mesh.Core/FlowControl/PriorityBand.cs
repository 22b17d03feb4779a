using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests of one priority: flows in a ring, each giving one request in turn. A flow exists only while it has requests, so the
/// ring is never longer than the queue. A flow that joins, or is served out of turn, gets its turn last.
/// </summary>
internal sealed class PriorityBand
{
    private const int MostOwed = 8;
    private readonly Dictionary<string, Flow> _flows = [];
    private Flow? _turn;

    public int Priority { get; set; }

    public int Count { get; private set; }

    public int FlowCount => _flows.Count;

    /// <summary>The flow whose turn it is; null when the band is empty.</summary>
    public Flow? Turn => _turn;

    public void Add(Waiter waiter, WaitQueueSpares spares)
    {
        var id = waiter.Request.FairnessId ?? "";
        if (!_flows.TryGetValue(id, out var flow))
        {
            flow = spares.Flows.Take();
            flow.Band = this;
            flow.Id = id;
            flow.Owed = 0;
            _flows.Add(id, flow);
            Join(flow);
        }
        flow.Add(waiter, spares.Lanes);
        waiter.Flow = flow;
        Count++;
    }

    /// <summary>Takes a request out; <paramref name="served"/> passes the turn on, leaving does not.</summary>
    public void Remove(Waiter waiter, bool served, WaitQueueSpares spares)
    {
        var flow = waiter.Flow!;
        flow.Remove(waiter, spares.Lanes);
        waiter.Flow = null;
        Count--;

        if (flow.Count == 0)
        {
            _flows.Remove(flow.Id);
            Unlink(flow);
            flow.Band = null!;
            spares.Flows.Return(flow);
        }
        else if (served && ReferenceEquals(_turn, flow))
        {
            _turn = flow.Next;
            Pass();
        }
        else if (served)
        {
            // It went past a flow that found no place. That one keeps its turn, but others must not wait behind this one again.
            Unlink(flow);
            Join(flow);
        }
    }

    /// <summary>
    /// Counts what flows got in another region as turns that they have had, so that they pass as many here. What all had alike decides nothing, and nobody passes
    /// more than eight: shares are judged over the last seconds. A flow that waits alone waits for nobody.
    /// </summary>
    /// <param name="usage">Ordered by hash.</param>
    /// <param name="seconds">For how long.</param>
    public void Charge(ImmutableArray<FlowUsage> usage, double seconds)
    {
        if (_turn is null) return;
        var least = double.PositiveInfinity;
        var flow = _turn;
        do
        {
            var at = usage.AsSpan().BinarySearch(new FlowUsage(FlowUsage.Of(Priority, flow.Id), 0), ByFlow.Instance);
            if (at >= 0) flow.Owed += usage[at].PerSecond * seconds;
            least = Math.Min(least, flow.Owed);
            flow = flow.Next;
        }
        while (!ReferenceEquals(flow, _turn));
        do
        {
            flow.Owed = Math.Min(MostOwed, flow.Owed - least);
            flow = flow.Next;
        }
        while (!ReferenceEquals(flow, _turn));
        Pass();
    }

    // Whoever has had a turn elsewhere passes this one.
    private void Pass()
    {
        for (var left = _flows.Count * MostOwed; left > 0 && _turn!.Owed >= 1; left--)
        {
            _turn.Owed--;
            _turn = _turn.Next;
        }
    }

    private void Join(Flow flow)
    {
        if (_turn is null)
        {
            flow.Next = flow.Previous = flow;
            _turn = flow;
            return;
        }
        // Before the one whose turn it is: the last of this round.
        flow.Next = _turn;
        flow.Previous = _turn.Previous;
        flow.Previous.Next = flow;
        _turn.Previous = flow;
    }

    private void Unlink(Flow flow)
    {
        if (ReferenceEquals(flow.Next, flow))
        {
            _turn = null;
        }
        else
        {
            flow.Previous.Next = flow.Next;
            flow.Next.Previous = flow.Previous;
            if (ReferenceEquals(_turn, flow)) _turn = flow.Next;
        }
        flow.Next = flow.Previous = null!;
    }

    private sealed class ByFlow : IComparer<FlowUsage>
    {
        public static readonly ByFlow Instance = new();

        public int Compare(FlowUsage x, FlowUsage y) => x.Flow.CompareTo(y.Flow);
    }
}
