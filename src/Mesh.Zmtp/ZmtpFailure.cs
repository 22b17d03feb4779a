namespace Mesh.Zmtp;

/// <summary>Why a connection ended. Every one is final for its connection.</summary>
internal enum ZmtpFailure
{
    /// <summary>It has not ended.</summary>
    None,

    /// <summary>Closed by this side, because its owner was done with it or is shutting down.</summary>
    Closed,

    /// <summary>The peer closed the connection.</summary>
    PeerClosed,

    /// <summary>No TCP connection within the time-out.</summary>
    ConnectTimeout,

    /// <summary>The TCP connection was refused, or the name has no address.</summary>
    ConnectFailed,

    /// <summary>Connected, but greeting and READY did not arrive within the time-out.</summary>
    HandshakeTimeout,

    /// <summary>The first bytes are not those of ZMTP.</summary>
    NotZmtp,

    /// <summary>ZMTP of a version below 3.0.</summary>
    UnsupportedVersion,

    /// <summary>The peer wants another security mechanism than NULL.</summary>
    MechanismMismatch,

    /// <summary>The peer's socket type does not go with this one.</summary>
    SocketTypeMismatch,

    /// <summary>The peer sent an ERROR command; the detail is its reason.</summary>
    PeerError,

    /// <summary>A frame with reserved flags, an impossible length, or one that may not stand where it stood.</summary>
    BadFrame,

    /// <summary>A command whose body does not follow its grammar.</summary>
    BadCommand,

    /// <summary>A frame longer than the bound.</summary>
    FrameTooLarge,

    /// <summary>A message whose frames together exceed the bound.</summary>
    MessageTooLarge,

    /// <summary>A message with more frames than the bound.</summary>
    TooManyFrames,

    /// <summary>Nothing came, not even an answer to a PING, within the time-out.</summary>
    HeartbeatTimeout,

    /// <summary>Nothing came within the idle time-out that this connection's owner set.</summary>
    IdleTimeout,

    /// <summary>The peer does not read what is sent to it and the bound on unsent bytes is reached.</summary>
    OutputFull,

    /// <summary>The operating system reported an error on the socket.</summary>
    SocketError,
}
