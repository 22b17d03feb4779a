namespace Mesh.Core.HttpRouting;

/// <summary>
/// Bits for weighted choices between pools. The n-th draw of a seed is always the same, so that a run can be repeated. Thread-safe, lock-free.
/// </summary>
public sealed class RequestDraw
{
    private const ulong Golden = 0x9E3779B97F4A7C15;

    private readonly ulong _seed;
    private long _drawn;

    /// <summary>Starts the sequence of <paramref name="seed"/>.</summary>
    public RequestDraw(ulong seed) => _seed = seed;

    /// <summary>Uniform in [0, 1), with 53 random bits; one draw.</summary>
    public double NextRatio() => (Next() >> 11) * (1.0 / (1UL << 53));

    /// <summary>The next 64 uniformly distributed bits.</summary>
    public ulong Next()
    {
        // SplitMix64: its state is a counter, which makes it the one generator that threads can share without a lock.
        var z = unchecked(_seed + (Golden * (ulong)Interlocked.Increment(ref _drawn)));
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
