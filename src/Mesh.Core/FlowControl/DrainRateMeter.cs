using Mesh.Core.Metrics;

namespace Mesh.Core.FlowControl;

/// <summary>
/// How fast requests have left the pool over the last 10 s, and from it when one that is refused now should come back: after the time
/// that the waiting ones before it take, rounded up to whole seconds, 1–60 s.
/// </summary>
internal sealed class DrainRateMeter
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(60);
    private readonly SlidingCounter _freed = new(slots: 10, TimeSpan.FromSeconds(1));

    /// <summary>Counts one request that freed its place.</summary>
    public void Add(TimeSpan now) => _freed.Add(now);

    /// <summary>When to come back with <paramref name="ahead"/> requests waiting before this one.</summary>
    public TimeSpan RetryAfter(int ahead, TimeSpan now)
    {
        var rate = _freed.PerSecond(now);
        if (rate <= 0) return ahead == 0 ? TimeSpan.FromSeconds(1) : Longest;
        var seconds = Math.Ceiling((ahead + 1) / rate);
        return seconds >= Longest.TotalSeconds ? Longest : TimeSpan.FromSeconds(Math.Max(1, seconds));
    }
}
