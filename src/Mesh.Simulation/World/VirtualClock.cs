namespace Mesh.Simulation.World;

/// <summary>The clock of a virtual world: it stands still until an event moves it. Timestamps are whole nanoseconds since the world began. Not thread-safe.</summary>
internal sealed class VirtualClock : TimeProvider
{
    private const double NanosecondsPerMs = 1e6;

    /// <summary>Virtual time in milliseconds since the world began.</summary>
    public double NowMs { get; private set; }

    /// <inheritdoc/>
    public override long TimestampFrequency => 1_000_000_000;

    /// <inheritdoc/>
    public override long GetTimestamp() => (long)(NowMs * NanosecondsPerMs);

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => DateTimeOffset.UnixEpoch.AddTicks((long)(NowMs * TimeSpan.TicksPerMillisecond));

    /// <summary>Moves on to <paramref name="timeMs"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">That is in the past, or not a number.</exception>
    public void MoveTo(double timeMs)
    {
        if (!(timeMs >= NowMs)) throw new ArgumentOutOfRangeException(nameof(timeMs), timeMs, $"Time is at {NowMs} ms and does not go back.");
        NowMs = timeMs;
    }
}
