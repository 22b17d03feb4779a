using Orleans.Concurrency;

namespace Mesh.Grains.Contracts;

/// <summary>A gateway that wants to know how a pool is.</summary>
[Alias("mesh.pool-watcher")]
internal interface IPoolWatcher : IGrainObserver
{
    /// <summary>State of the pool as <see cref="Mesh.Grains.Snapshots.SnapshotJson"/> writes it.</summary>
    [Alias("changed"), OneWay]
    ValueTask Changed(long epoch, byte[] snapshot);
}
