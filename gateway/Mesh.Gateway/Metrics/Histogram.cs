using System.Collections.Immutable;

namespace Mesh.Gateway.Metrics;

/// <summary>Durations in buckets. Thread-safe; a reader may see an observation in its bucket a moment before it sees it in the sum.</summary>
internal sealed class Histogram(ImmutableArray<double> boundsSeconds)
{
    private readonly long[] _counts = new long[boundsSeconds.Length + 1];
    private long _sumTicks;

    /// <summary>Upper bounds in seconds, rising, without the infinite one.</summary>
    public ImmutableArray<double> BoundsSeconds => boundsSeconds;

    /// <summary>Sum of all observations.</summary>
    public TimeSpan Sum => TimeSpan.FromTicks(Interlocked.Read(ref _sumTicks));

    /// <summary>Observations in one bucket, the last one being the infinite one; not cumulative.</summary>
    public long CountIn(int bucket) => Interlocked.Read(ref _counts[bucket]);

    public void Observe(TimeSpan duration)
    {
        var seconds = duration.TotalSeconds;
        var bucket = 0;
        while (bucket < boundsSeconds.Length && seconds > boundsSeconds[bucket]) bucket++;
        Interlocked.Increment(ref _counts[bucket]);
        Interlocked.Add(ref _sumTicks, duration.Ticks);
    }
}
