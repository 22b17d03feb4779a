using Mesh.Core.Config;
using Mesh.Core.Sharding;

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
    private const int ShardMask = ShardMap.Most - 1;
    private readonly Dictionary<(PoolId Pool, int Shard), long> _highest = [];

    /// <summary>The next epoch of a pool's shard; no two shards ever have the same, because their leases have to have different ids.</summary>
    public long Next(PoolId pool, int shard = 0)
    {
        var version = Math.Max(0, membership.CurrentSnapshot.Version.Value);
        var epoch = (version << ClockBits) | (time.GetUtcNow().ToUnixTimeMilliseconds() & ((1L << ClockBits) - 1));
        lock (_gate)
        {
            epoch = Math.Max(epoch, _highest.GetValueOrDefault((pool, shard)) + 1);
            epoch = ((epoch + ShardMask) & ~(long)ShardMask) | (uint)shard;
            _highest[(pool, shard)] = epoch;
        }
        return epoch;
    }

    /// <summary>Somebody knows of an epoch: the next one here has to be higher.</summary>
    public void Saw(PoolId pool, int shard, long epoch)
    {
        lock (_gate) _highest[(pool, shard)] = Math.Max(epoch, _highest.GetValueOrDefault((pool, shard)));
    }
}
