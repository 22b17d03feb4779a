namespace Mesh.Core.FlowControl;

/// <summary>
/// Waiting requests of one fairness id inside one priority band, and their neighbours in the band's round. A lane for each class: a request
/// does not hold up those behind it that ask for something else.
/// </summary>
internal sealed class Flow
{
    private readonly List<Lane> _lanes = new(1);

    public PriorityBand Band { get; set; } = null!;

    public string Id { get; set; } = "";

    public int Count { get; private set; }

    /// <summary>Turns that it has had elsewhere and passes here.</summary>
    public double Owed { get; set; }

    public Flow Next { get; set; } = null!;

    public Flow Previous { get; set; } = null!;

    public void Add(Waiter waiter, FreeList<Lane> spare)
    {
        var lane = LaneOf(waiter.Class!);
        if (lane is null)
        {
            lane = spare.Take();
            lane.Class = waiter.Class!;
            _lanes.Add(lane);
        }
        lane.Waiters.Add(waiter);
        Count++;
    }

    public void Remove(Waiter waiter, FreeList<Lane> spare)
    {
        var lane = LaneOf(waiter.Class!)!;
        lane.Waiters.Remove(waiter);
        Count--;
        if (lane.Waiters.Count > 0) return;
        _lanes.Remove(lane);
        lane.Class = null!;
        spare.Return(lane);
    }

    /// <summary>The first request of the lanes that are not ruled out in this pass; null when all are.</summary>
    public Waiter? First(long pass)
    {
        Waiter? first = null;
        foreach (var lane in _lanes)
        {
            if (lane.Class.RuledOutIn == pass) continue;
            var head = lane.Waiters.Min!;
            if (first is null || Waiter.ByKey.IsBefore(head, first)) first = head;
        }
        return first;
    }

    private Lane? LaneOf(WaitClass of)
    {
        foreach (var lane in _lanes)
        {
            if (ReferenceEquals(lane.Class, of)) return lane;
        }
        return null;
    }
}
