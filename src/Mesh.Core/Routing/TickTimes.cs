using Mesh.Core.Health;

namespace Mesh.Core.Routing;

/// <summary>When a pool needs to be ticked: for sessions that fall silent, those who wait, ejections that end, drains, samples that grow stale. Not thread-safe.</summary>
internal sealed class TickTimes(PoolStateOptions options, PoolClock clock, Reservations reservations, Ejections ejections, Dispatcher dispatcher)
{
    private static readonly TimeSpan DrainCheck = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RateRefill = TimeSpan.FromMilliseconds(10);
    private TimeSpan _nextAt = TimeSpan.MaxValue;

    /// <summary>True while requests wait for what time alone brings.</summary>
    public bool WaitsForTime => dispatcher.Room.Count > 0 && (dispatcher.NextReady is not null || reservations.Backends.HasRateTarget);

    /// <summary>True when those who wait need a tick before the time that was told last.</summary>
    public bool IsNeededSooner => dispatcher.Room.Count > 0 && NextForWaiting(clock.SinceStart(clock.Now)) < _nextAt;

    /// <summary>How long until the next tick makes sense; null when nothing is waiting for time to pass.</summary>
    public TimeSpan? Next(long timestamp, TimeSpan now)
    {
        var next = reservations.Sessions.TicksUntilNext(timestamp) is { } ticks ? clock.Elapsed(0, ticks) : TimeSpan.MaxValue;
        if (NextForWaiting(now) is var waiting && waiting < TimeSpan.MaxValue) next = Min(next, waiting - now);
        if (ejections.NextReturn is { } back) next = Min(next, back - now);
        if (reservations.Backends.HoldsDrains) next = Min(next, DrainCheck);
        if (reservations.Backends.OldestSample is { } read) next = Min(next, read + options.SampleMaxAge + TimeSpan.FromTicks(1) - now);
        next = next < TimeSpan.Zero ? TimeSpan.Zero : next;
        _nextAt = next == TimeSpan.MaxValue ? next : now + next;
        return next == TimeSpan.MaxValue ? null : next;
    }

    // When the first of those who wait needs time to be looked at; the end of time when none does.
    private TimeSpan NextForWaiting(TimeSpan now)
    {
        var next = dispatcher.Room.NextDeadline ?? TimeSpan.MaxValue;
        if (dispatcher.NextReady is { } ready) next = Min(next, ready);
        // Tokens of a rate come with time alone.
        return dispatcher.Room.Queue.Count > 0 && reservations.Backends.HasRateTarget ? Min(next, now + RateRefill) : next;
    }

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;
}
