namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests of one priority: flows in a ring, each giving one request in turn. A flow exists only while it has requests, so the
/// ring is never longer than the queue. A flow that joins gets its turn last.
/// </summary>
internal sealed class PriorityBand(int priority)
{
    private readonly Dictionary<string, Flow> _flows = [];
    private Flow? _turn;

    public int Priority { get; } = priority;

    public int Count { get; private set; }

    public int FlowCount => _flows.Count;

    /// <summary>The flow whose turn it is; null when the band is empty.</summary>
    public Flow? Turn => _turn;

    public void Add(Waiter waiter)
    {
        var id = waiter.Request.FairnessId ?? "";
        if (!_flows.TryGetValue(id, out var flow))
        {
            flow = new Flow(this, id);
            _flows.Add(id, flow);
            Join(flow);
        }
        flow.Waiters.Add(waiter);
        waiter.Flow = flow;
        Count++;
    }

    /// <summary>Takes a request out; <paramref name="served"/> passes the turn on, leaving does not.</summary>
    public void Remove(Waiter waiter, bool served)
    {
        var flow = waiter.Flow!;
        flow.Waiters.Remove(waiter);
        waiter.Flow = null;
        Count--;
        if (served && ReferenceEquals(_turn, flow)) _turn = flow.Next;
        if (flow.Waiters.Count == 0) Leave(flow);
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

    private void Leave(Flow flow)
    {
        _flows.Remove(flow.Id);
        if (ReferenceEquals(flow.Next, flow))
        {
            _turn = null;
            return;
        }
        flow.Previous.Next = flow.Next;
        flow.Next.Previous = flow.Previous;
        if (ReferenceEquals(_turn, flow)) _turn = flow.Next;
    }
}
