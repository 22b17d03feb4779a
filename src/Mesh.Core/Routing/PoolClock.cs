using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;

namespace Mesh.Core.Routing;

/// <summary>The host's clock, with the pool's durations in its ticks: they are needed at every decision and never change.</summary>
internal sealed class PoolClock(TimeProvider time, PoolStateOptions options)
{
    private static readonly TimeSpan LongestSampleAge = TimeSpan.FromHours(1);
    private readonly long _start = time.GetTimestamp();
    private readonly long _sampleMaxAgeTicks = ToTicks(time, options.SampleMaxAge);
    private readonly long _failureHalfLifeTicks = ToTicks(time, options.FailureHalfLife);

    public long SessionTimeoutTicks { get; } = ToTicks(time, options.SessionTimeout);

    public long Now => time.GetTimestamp();

    /// <summary>Time since this clock was made: what durations, deadlines and rates count in.</summary>
    public TimeSpan SinceStart(long now) => time.GetElapsedTime(_start, now);

    /// <summary>The timestamp at a time since the start.</summary>
    public long TimestampAt(TimeSpan sinceStart) => _start + (long)(sinceStart.TotalSeconds * time.TimestampFrequency);

    public SampleFreshness Freshness(long now) => new(now, _sampleMaxAgeTicks);

    /// <summary>
    /// Timestamp from which a sample ages by the pool's limit. One with a limit of its own counts as read later, or earlier, by the difference,
    /// so that a single limit holds for all.
    /// </summary>
    public long AgesFrom(EndpointSample sample)
    {
        if (sample.MaxAge is not { } own) return sample.Timestamp;
        var bounded = own < LongestSampleAge ? own : LongestSampleAge;
        return sample.Timestamp + ToTicks(time, bounded) - _sampleMaxAgeTicks;
    }

    public Decay FailureDecay(long now) => new(now, _failureHalfLifeTicks);

    /// <summary>Time between two timestamps, never negative.</summary>
    public TimeSpan Elapsed(long from, long to) => time.GetElapsedTime(from, Math.Max(from, to));

    private static long ToTicks(TimeProvider time, TimeSpan duration) =>
        Math.Max(1, (long)(duration.TotalSeconds * time.TimestampFrequency));
}
