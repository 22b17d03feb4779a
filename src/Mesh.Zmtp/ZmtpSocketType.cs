namespace Mesh.Zmtp;

/// <summary>The pattern that this end of a connection speaks; it decides which peers it may talk to.</summary>
internal enum ZmtpSocketType
{
    /// <summary>Receives what a PUB or XPUB peer publishes under the topics asked for.</summary>
    Sub,

    /// <summary>Sends and receives freely; its peers are ROUTER, DEALER and REP.</summary>
    Dealer,

    /// <summary>Publishes to SUB and XSUB peers what they have asked for.</summary>
    Pub,

    /// <summary>Answers DEALER, REQ and ROUTER peers, each on its own connection.</summary>
    Router,
}

/// <summary>Names of socket types on the wire, and which go together.</summary>
internal static class ZmtpSocketTypes
{
    /// <summary>The value of the Socket-Type property.</summary>
    public static ReadOnlySpan<byte> WireName(ZmtpSocketType type) => type switch
    {
        ZmtpSocketType.Sub => "SUB"u8,
        ZmtpSocketType.Dealer => "DEALER"u8,
        ZmtpSocketType.Pub => "PUB"u8,
        _ => "ROUTER"u8,
    };

    /// <summary>Whether a peer that calls itself <paramref name="peer"/> may be talked to.</summary>
    public static bool Accepts(ZmtpSocketType type, ReadOnlySpan<byte> peer) => type switch
    {
        ZmtpSocketType.Sub => peer.SequenceEqual("PUB"u8) || peer.SequenceEqual("XPUB"u8),
        ZmtpSocketType.Dealer => peer.SequenceEqual("ROUTER"u8) || peer.SequenceEqual("DEALER"u8) || peer.SequenceEqual("REP"u8),
        ZmtpSocketType.Pub => peer.SequenceEqual("SUB"u8) || peer.SequenceEqual("XSUB"u8),
        _ => peer.SequenceEqual("DEALER"u8) || peer.SequenceEqual("REQ"u8) || peer.SequenceEqual("ROUTER"u8),
    };
}
