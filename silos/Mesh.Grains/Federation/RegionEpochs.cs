namespace Mesh.Grains.Federation;

/// <summary>Gives each activation of the region's grain on this silo an epoch that is higher than those that this silo has heard of. Thread-safe.</summary>
internal sealed class RegionEpochs(TimeProvider time)
{
    private readonly Lock _gate = new();
    private long _highest;

    /// <summary>The next epoch: the wall clock, which also an embedded engine goes by, unless a higher one is known.</summary>
    public long Next()
    {
        lock (_gate) return _highest = Math.Max(Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds()), _highest + 1);
    }

    /// <summary>Somebody knows of an epoch: the next one here has to be higher.</summary>
    public void Saw(long epoch)
    {
        lock (_gate) _highest = Math.Max(epoch, _highest);
    }
}
