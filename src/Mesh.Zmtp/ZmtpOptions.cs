namespace Mesh.Zmtp;

/// <summary>Bounds and times of one connection.</summary>
internal sealed record ZmtpOptions
{
    /// <summary>Longest body of one frame, in bytes. 16 MiB holds the events of some two million prompt tokens stored in one step.</summary>
    public int MaxFrameBytes { get; init; } = 16 << 20;

    /// <summary>Longest message, headers of its frames included, in bytes.</summary>
    public int MaxMessageBytes { get; init; } = 17 << 20;

    /// <summary>Longest body of a command, in bytes.</summary>
    public int MaxCommandBytes { get; init; } = 4096;

    /// <summary>Most bytes that wait to be sent; what is sent here are commands and short requests.</summary>
    public int MaxUnsentBytes { get; init; } = 64 << 10;

    /// <summary>Longest time for the TCP connection to stand.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Longest time for greeting and READY after that.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which a PING is sent; only peers of 3.1 and later are asked. Zero: never.</summary>
    public TimeSpan HeartbeatInterval { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Silence after which such a peer counts as gone.</summary>
    public TimeSpan HeartbeatTimeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Silence after which any peer counts as gone, whatever its version. Zero: never.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.Zero;
}
