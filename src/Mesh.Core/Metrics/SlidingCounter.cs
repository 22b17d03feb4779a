namespace Mesh.Core.Metrics;

/// <summary>Counts events over the last <paramref name="slots"/> slots of time, the running one included. Not thread-safe.</summary>
/// <param name="slots">Number of slots.</param>
/// <param name="slotLength">Length of one.</param>
internal sealed class SlidingCounter(int slots, TimeSpan slotLength)
{
    private readonly int[] _counts = new int[slots];
    private long _slot = -1;
    private TimeSpan _start;
    private int _sum;

    /// <summary>Counts one event.</summary>
    public void Add(TimeSpan now)
    {
        Advance(now);
        _counts[_slot % slots]++;
        _sum++;
    }

    /// <summary>Events per second over the whole window, or since the first call if that is less, but at least over one slot.</summary>
    public double PerSecond(TimeSpan now)
    {
        Advance(now);
        var window = Math.Clamp((now - _start).TotalSeconds, slotLength.TotalSeconds, slots * slotLength.TotalSeconds);
        return _sum / window;
    }

    private void Advance(TimeSpan now)
    {
        var slot = now.Ticks / slotLength.Ticks;
        if (_slot < 0)
        {
            _slot = slot;
            _start = now;
        }
        if (slot <= _slot) return;
        var steps = Math.Min(slots, slot - _slot);
        for (var i = 0; i < steps; i++)
        {
            _sum -= _counts[(slot - i) % slots];
            _counts[(slot - i) % slots] = 0;
        }
        _slot = slot;
    }
}
