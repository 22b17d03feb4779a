using Mesh.Zmtp;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>Times and bounds of a subscription. Every time must be positive, every bound at least 1.</summary>
public sealed record KvEventSubscriberOptions
{
    /// <summary>Longest time for a TCP connection to stand.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time for the protocol's greeting after that.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which the publisher is asked for a sign of life.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which it counts as gone.</summary>
    public TimeSpan HeartbeatTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>First wait before connecting again; it doubles, with jitter.</summary>
    public TimeSpan FirstReconnectWait { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Longest wait before connecting again.</summary>
    public TimeSpan LongestReconnectWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>How long a publisher may be out of reach before the sink is told to forget what it knows.</summary>
    public TimeSpan ForgetAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Silence within a replay after which it counts as failed. vLLM looks for requests every 100 ms when idle, else every step.</summary>
    public TimeSpan ReplayIdleTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time of one replay.</summary>
    public TimeSpan ReplayTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// Silence of the publisher after which the replay address is asked whether it is really silent: a batch lost at the very end shows
    /// in no gap.
    /// </summary>
    public TimeSpan TailCheckInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Largest message, in bytes.</summary>
    public int MaxMessageBytes { get; init; } = 16 << 20;

    /// <summary>Most batches held back while a replay runs. What goes beyond it is dropped, and replayed in its turn.</summary>
    public int MaxHeldBatches { get; init; } = 10_000;

    /// <summary>Most bytes of batches held back.</summary>
    public long MaxHeldBytes { get; init; } = 32 << 20;

    internal void Validate()
    {
        foreach (var time in (ReadOnlySpan<TimeSpan>)
            [ConnectTimeout, HandshakeTimeout, HeartbeatInterval, HeartbeatTimeout, FirstReconnectWait, LongestReconnectWait, ForgetAfter,
             ReplayIdleTimeout, ReplayTimeout, TailCheckInterval])
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(time, TimeSpan.Zero);
        }
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxMessageBytes, 1024);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(MaxMessageBytes, 1 << 30);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxHeldBatches, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(MaxHeldBytes, 1);
    }

    internal ZmtpOptions ForLive() => new()
    {
        ConnectTimeout = ConnectTimeout,
        HandshakeTimeout = HandshakeTimeout,
        HeartbeatInterval = HeartbeatInterval,
        HeartbeatTimeout = HeartbeatTimeout,
        MaxFrameBytes = MaxMessageBytes,
        MaxMessageBytes = MaxMessageBytes + 1024,
    };

    // A replay either flows or has failed: no heartbeat, but an end to waiting.
    internal ZmtpOptions ForReplay() => ForLive() with { HeartbeatInterval = TimeSpan.Zero, IdleTimeout = ReplayIdleTimeout };
}
