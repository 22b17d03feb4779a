namespace Mesh.Gateway.Admin.History;

/// <summary>
/// Durations in the buckets of <see cref="LatencyScale"/>, with what they were at the last steps, so that any of the last windows can be told apart. Counting is
/// thread-safe and allocates nothing; <see cref="Step"/> and the reading of windows are for one thread, or for callers that take turns.
/// </summary>
internal sealed class LatencyCounts
{
    /// <summary>Steps that are remembered.</summary>
    public const int Steps = 12;

    private readonly long[] _now = new long[LatencyScale.Count];
    private readonly long[][] _before = new long[Steps][];
    private int _taken;

    /// <summary>Counts one.</summary>
    public void Observe(TimeSpan duration) => Interlocked.Increment(ref _now[LatencyScale.BucketOf(duration.TotalMilliseconds)]);

    /// <summary>Remembers what is counted now, as the beginning of a step.</summary>
    public void Step()
    {
        var at = _taken++ % Steps;
        var kept = _before[at] ??= new long[LatencyScale.Count];
        for (var i = 0; i < kept.Length; i++) kept[i] = Interlocked.Read(ref _now[i]);
    }

    /// <summary>What was counted since the beginning of the step so many steps ago.</summary>
    /// <param name="steps">1–<see cref="Steps"/>; since the start where fewer were taken.</param>
    /// <param name="into">Gets the counts added, <see cref="LatencyScale.Count"/> of them.</param>
    public void Add(int steps, Span<long> into)
    {
        var from = _taken >= steps ? _before[(_taken - steps) % Steps] : null;
        for (var i = 0; i < into.Length; i++) into[i] += Interlocked.Read(ref _now[i]) - (from?[i] ?? 0);
    }
}
