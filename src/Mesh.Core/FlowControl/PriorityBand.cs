namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests of one priority: flows in a ring, each giving one request in turn. A flow exists only while it has requests, so the
/// ring is never longer than the queue. A flow that joins, or is served out of turn, gets its turn last.
/// </summary>
internal sealed class PriorityBand
{
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
        }
        else if (served)
        {
            // It went past a flow that found no place. That one keeps its turn, but others must not wait behind this one again.
            Unlink(flow);
            Join(flow);
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
}
