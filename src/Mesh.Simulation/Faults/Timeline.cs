using Mesh.Simulation.World;

namespace Mesh.Simulation.Faults;

/// <summary>What is to happen in a fault world, in order of time and, at one time, of its adding. Not thread-safe.</summary>
internal sealed class Timeline
{
    private readonly PriorityQueue<Action, (double TimeMs, long Number)> _queue = new();
    private long _added;

    /// <summary>The world's clock.</summary>
    public VirtualClock Clock { get; } = new();

    /// <summary>Virtual time in ms.</summary>
    public double NowMs => Clock.NowMs;

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Something happens at a time; one that is past means now.</summary>
    public void At(double timeMs, Action what) => _queue.Enqueue(what, (Math.Max(timeMs, NowMs), _added++));

    /// <summary>Something happens after a while.</summary>
    public void After(double ms, Action what) => At(NowMs + ms, what);

    /// <summary>Lets the next event happen; false when there is none until <paramref name="untilMs"/>.</summary>
    public bool TryStep(double untilMs)
    {
        if (!_queue.TryPeek(out _, out var next) || next.TimeMs > untilMs) return false;
        var what = _queue.Dequeue();
        Clock.MoveTo(next.TimeMs);
        Events++;
        what();
        return true;
    }
}
