namespace Mesh.Simulation.World;

/// <summary>
/// Counts a world's events and tells when it has lost its way: readings, wake-ups and reports go on for ever, so that a world in which nothing else has
/// happened for so long, though no more requests come, has lost those that it still has. Not thread-safe.
/// </summary>
/// <param name="longestStandstillMs">How long nothing but routine may happen.</param>
internal sealed class EventCount(double longestStandstillMs)
{
    private double _lastProgressMs;

    /// <summary>Events so far.</summary>
    public long Events { get; private set; }

    /// <summary>Counts an event; false when there is no sense in going on.</summary>
    /// <param name="timeMs">Its time.</param>
    /// <param name="isRoutine">True for what goes on for ever.</param>
    /// <param name="mayCome">True while requests may still come.</param>
    public bool Add(double timeMs, bool isRoutine, bool mayCome)
    {
        Events++;
        if (!isRoutine) _lastProgressMs = timeMs;
        return mayCome || timeMs - _lastProgressMs <= longestStandstillMs;
    }
}
