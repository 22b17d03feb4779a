namespace Mesh.Simulation.World;

/// <summary>
/// Events in order of time, and of their adding where times are equal: a heap with four children per node, whose entries lie together in
/// memory. Nothing is allocated once it has grown to the world's size. Not thread-safe.
/// </summary>
internal sealed class EventQueue
{
    private const int Arity = 4;

    private WorldEvent[] _heap = new WorldEvent[256];
    private long _added;

    /// <summary>Events to come.</summary>
    public int Count { get; private set; }

    /// <summary>Adds an event.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The time is not a finite number.</exception>
    public void Add(double timeMs, EventKind kind, int first, int second)
    {
        if (!double.IsFinite(timeMs)) throw new ArgumentOutOfRangeException(nameof(timeMs), timeMs, "An event needs a time.");
        if (Count == _heap.Length) Array.Resize(ref _heap, Count * 2);
        var added = new WorldEvent(timeMs, _added++, kind, first, second);
        var at = Count++;
        while (at > 0)
        {
            var parent = (at - 1) / Arity;
            if (_heap[parent].IsBefore(in added)) break;
            _heap[at] = _heap[parent];
            at = parent;
        }

        _heap[at] = added;
    }

    /// <summary>Takes the earliest event; false when there is none.</summary>
    public bool TryTake(out WorldEvent earliest)
    {
        if (Count == 0)
        {
            earliest = default;
            return false;
        }

        earliest = _heap[0];
        var last = _heap[--Count];
        if (Count > 0) SinkFromTop(in last);
        return true;
    }

    /// <summary>The earliest event; there must be one.</summary>
    public ref readonly WorldEvent Earliest => ref _heap[0];

    /// <summary>As taking the earliest event and adding another one; cheap where that is due soon.</summary>
    public void ReplaceEarliest(double timeMs, EventKind kind, int first, int second)
    {
        var added = new WorldEvent(timeMs, _added++, kind, first, second);
        SinkFromTop(in added);
    }

    private void SinkFromTop(ref readonly WorldEvent placed)
    {
        var at = 0;
        while (true)
        {
            var child = (at * Arity) + 1;
            if (child >= Count) break;
            var end = Math.Min(child + Arity, Count);
            var least = child;
            for (var i = child + 1; i < end; i++)
            {
                if (_heap[i].IsBefore(in _heap[least])) least = i;
            }

            if (placed.IsBefore(in _heap[least])) break;
            _heap[at] = _heap[least];
            at = least;
        }

        _heap[at] = placed;
    }
}
