namespace Mesh.Core.SpillOver;

/// <summary>
/// Auto-capacity drain: a backend with fewer than 25% of its endpoints healthy is drained as long as fewer than half of the backends
/// are; it comes back once at least 35% have been healthy for 60 s. An endpoint on which no verdict has been reached yet is no reason to
/// drain, or every start would empty half of the backends for a minute.
/// </summary>
internal sealed class CapacityDrain(int backendCount)
{
    /// <summary>Healthy share below which a backend is drained.</summary>
    public const double DrainBelow = 0.25;

    /// <summary>Healthy share from which it may come back.</summary>
    public const double ReturnFrom = 0.35;

    /// <summary>Largest share of backends drained at a time: no further one is drained from here on.</summary>
    public const double MaxDrainedShare = 0.5;

    /// <summary>How long the share must have held.</summary>
    public static readonly TimeSpan ReturnAfter = TimeSpan.FromSeconds(60);

    private readonly bool[] _drained = new bool[backendCount];
    private readonly TimeSpan?[] _goodSince = new TimeSpan?[backendCount];
    private int _drainedCount;

    /// <summary>True while the backend takes no new requests.</summary>
    public bool IsDrained(int backend) => _drained[backend];

    /// <summary>Takes over the states of the same backends from before.</summary>
    public void CarryFrom(CapacityDrain before, ReadOnlySpan<int> indexBefore)
    {
        for (var i = 0; i < indexBefore.Length; i++)
        {
            if (indexBefore[i] < 0 || !before._drained[indexBefore[i]]) continue;
            _drained[i] = true;
            _goodSince[i] = before._goodSince[indexBefore[i]];
            _drainedCount++;
        }
    }

    /// <summary>Judges one backend by its endpoints: the healthy ones, those not judged yet, all. Returns true if its state changed.</summary>
    public bool Update(int backend, int healthy, int unknown, int total, TimeSpan now)
    {
        if (total == 0) return false;
        var share = (double)healthy / total;
        if (!_drained[backend])
        {
            if ((double)(healthy + unknown) / total >= DrainBelow || _drainedCount >= MaxDrainedShare * backendCount) return false;
            _drained[backend] = true;
            _goodSince[backend] = null;
            _drainedCount++;
            return true;
        }

        if (share < ReturnFrom)
        {
            _goodSince[backend] = null;
            return false;
        }
        _goodSince[backend] ??= now;
        if (now - _goodSince[backend]!.Value < ReturnAfter) return false;
        _drained[backend] = false;
        _drainedCount--;
        return true;
    }
}
