using Mesh.Core.Config;

namespace Mesh.Grains.Pools;

/// <summary>
/// Gives each activation of a pool on this silo an epoch that is higher than those of the activations before it, wherever they were: first
/// counts the version of the cluster's membership, which rises whenever a silo dies or leaves, then the wall clock.
/// </summary>
internal sealed class EpochSource(TimeProvider time, IClusterMembershipService membership)
{
    // Milliseconds of the wall clock fit until the year 2109.
    private const int ClockBits = 42;
    private readonly Lock _gate = new();
    private readonly Dictionary<PoolId, long> _highest = [];

    /// <summary>The next epoch of a pool.</summary>
    public long Next(PoolId pool)
    {
        var version = Math.Max(0, membership.CurrentSnapshot.Version.Value);
        var epoch = (version << ClockBits) | (time.GetUtcNow().ToUnixTimeMilliseconds() & ((1L << ClockBits) - 1));
        lock (_gate)
        {
            epoch = Math.Max(epoch, _highest.GetValueOrDefault(pool) + 1);
            _highest[pool] = epoch;
        }
        return epoch;
    }

    /// <summary>Somebody knows of an epoch: the next one here has to be higher.</summary>
    public void Saw(PoolId pool, long epoch)
    {
        lock (_gate) _highest[pool] = Math.Max(epoch, _highest.GetValueOrDefault(pool));
    }
}
