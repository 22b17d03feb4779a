using System.Collections.Concurrent;

namespace Mesh.Grains.Pools;

/// <summary>
/// What pools have left behind that had to end on a silo that lives: the runtime ends an activation whose entry in the grain directory was kept by
/// a silo that stopped or died, and makes another. Where that is made here, a moment later, it goes on as if nothing had happened. One made
/// elsewhere has begun anew, and what is left here would be old news: it counts for a short time only. By the keys of the grains. Thread-safe.
/// </summary>
internal sealed class Leftovers(TimeProvider time)
{
    private static readonly TimeSpan CountsFor = TimeSpan.FromSeconds(2);
    private readonly ConcurrentDictionary<string, (PoolHandover Handover, long At)> _left = [];

    /// <summary>An activation ends here.</summary>
    public void Leave(string pool, PoolHandover handover) => _left[pool] = (handover, time.GetTimestamp());

    /// <summary>True when a pool's next activation should be made here.</summary>
    public bool Has(string pool) => _left.TryGetValue(pool, out var left) && Counts(left.At);

    /// <summary>What the last activation here has just left, once; null for nothing.</summary>
    public PoolHandover? Take(string pool) => _left.TryRemove(pool, out var left) && Counts(left.At) ? left.Handover : null;

    private bool Counts(long at) => time.GetElapsedTime(at) < CountsFor;
}
