using System.Numerics;

namespace Mesh.Cli.Load;

/// <summary>
/// Counts of durations in buckets whose width grows with the value: below 128 µs one bucket a microsecond, above it 128 buckets for each
/// doubling. A quantile is the middle of its bucket, so it errs by at most 0.4% (and half a microsecond); the least, the greatest and the
/// mean are exact. 30 KiB whatever is recorded. Recording is thread-safe; reading beside it sees some of the values on their way.
/// </summary>
internal sealed class LatencyHistogram
{
    /// <summary>Greatest error of a quantile, as a share of it, from 128 µs on.</summary>
    public const double MaxRelativeError = 1.0 / (2 * Steps);

    private const int StepBits = 7;
    private const int Steps = 1 << StepBits;
    private const int MaxBits = 36;

    // Nineteen hours; what is longer counts as that long.
    private const long MaxUs = (1L << MaxBits) - 1;

    private readonly long[] _counts = new long[Steps * (MaxBits - StepBits + 1)];
    private long _count;
    private long _sumUs;
    private long _minUs = long.MaxValue;
    private long _maxUs;

    /// <summary>Values recorded.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Mean in microseconds; 0 when empty.</summary>
    public double MeanUs => Count == 0 ? 0 : (double)Volatile.Read(ref _sumUs) / Count;

    /// <summary>Least value in microseconds; 0 when empty.</summary>
    public long MinUs => Count == 0 ? 0 : Volatile.Read(ref _minUs);

    /// <summary>Greatest value in microseconds; 0 when empty.</summary>
    public long MaxValueUs => Volatile.Read(ref _maxUs);

    /// <summary>Records a duration; below 0 counts as 0.</summary>
    public void Record(TimeSpan duration) => RecordUs(duration.Ticks / TimeSpan.TicksPerMicrosecond);

    /// <summary>Records a duration in microseconds; below 0 counts as 0.</summary>
    public void RecordUs(long us)
    {
        us = Math.Clamp(us, 0, MaxUs);
        Interlocked.Increment(ref _counts[IndexOf(us)]);
        Interlocked.Add(ref _sumUs, us);
        Lower(ref _minUs, us);
        Raise(ref _maxUs, us);
        Interlocked.Increment(ref _count);
    }

    /// <summary>The value that a share of all values does not exceed (nearest rank), in microseconds; 0 when empty.</summary>
    /// <param name="share">0–1.</param>
    public double QuantileUs(double share)
    {
        var total = 0L;
        foreach (ref var count in _counts.AsSpan()) total += Volatile.Read(ref count);
        if (total == 0) return 0;
        var rank = Math.Clamp((long)Math.Ceiling(share * total), 1, total);
        // The ends are known exactly.
        if (rank == 1) return MinUs;
        if (rank == total) return MaxValueUs;
        var seen = 0L;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += Volatile.Read(ref _counts[i]);
            if (seen >= rank) return Math.Clamp((LowerBoundUs(i) + LowerBoundUs(i + 1) - 1) / 2.0, MinUs, MaxValueUs);
        }

        return MaxValueUs;
    }

    /// <summary>The buckets that hold something, in rising order: from (included) and to (excluded) in microseconds, and how many.</summary>
    public IEnumerable<(long FromUs, long ToUs, long Count)> Buckets()
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            var count = Volatile.Read(ref _counts[i]);
            if (count > 0) yield return (LowerBoundUs(i), LowerBoundUs(i + 1), count);
        }
    }

    private static int IndexOf(long us)
    {
        if (us < Steps) return (int)us;
        var shift = BitOperations.Log2((ulong)us) - StepBits;
        return (Steps * shift) + (int)(us >> shift);
    }

    private static long LowerBoundUs(int index)
    {
        if (index < 2 * Steps) return index;
        var shift = (index / Steps) - 1;
        return (long)(index - (Steps * shift)) << shift;
    }

    private static void Raise(ref long place, long value)
    {
        var seen = Volatile.Read(ref place);
        while (value > seen && Interlocked.CompareExchange(ref place, value, seen) is var was && was != seen) seen = was;
    }

    private static void Lower(ref long place, long value)
    {
        var seen = Volatile.Read(ref place);
        while (value < seen && Interlocked.CompareExchange(ref place, value, seen) is var was && was != seen) seen = was;
    }
}
