namespace Mesh.Zmtp;

/// <summary>
/// The 64 bytes that open a connection: signature (FF, 8 bytes of padding, 7F), version, mechanism padded with zeros to 20 bytes,
/// as-server flag, filler (RFC 37, "greeting").
/// </summary>
internal static class ZmtpGreeting
{
    /// <summary>Length of a greeting.</summary>
    public const int Size = 64;

    private const int MajorAt = 10;
    private const int MinorAt = 11;
    private const int MechanismAt = 12;
    private const int MechanismBytes = 20;

    /// <summary>Ours: version 3.1, mechanism NULL, not a server.</summary>
    public static ReadOnlySpan<byte> Ours =>
    [
        0xFF, 0, 0, 0, 0, 0, 0, 0, 0, 0x7F, 3, 1,
        (byte)'N', (byte)'U', (byte)'L', (byte)'L', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    /// <summary>
    /// Looks at as much of the peer's greeting as has come. A peer that is no ZMTP peer, or an old one that waits for us to fall back,
    /// is recognized from its first bytes rather than by a time-out.
    /// </summary>
    public static ZmtpFailure Check(ReadOnlySpan<byte> received)
    {
        if (received.Length > 0 && received[0] != 0xFF) return ZmtpFailure.NotZmtp;
        if (received.Length > 9 && received[9] != 0x7F) return ZmtpFailure.NotZmtp;
        if (received.Length > MajorAt && received[MajorAt] < 3) return ZmtpFailure.UnsupportedVersion;
        if (received.Length < Size) return ZmtpFailure.None;
        return received.Slice(MechanismAt, MechanismBytes).SequenceEqual(Ours.Slice(MechanismAt, MechanismBytes))
            ? ZmtpFailure.None
            : ZmtpFailure.MechanismMismatch;
    }

    /// <summary>The peer's minor version; a major version above 3 speaks 3.1 to us.</summary>
    public static int MinorVersion(ReadOnlySpan<byte> greeting) => greeting[MajorAt] > 3 ? 1 : greeting[MinorAt];

    /// <summary>The peer's mechanism, for the reason of a failure.</summary>
    public static string MechanismName(ReadOnlySpan<byte> greeting)
    {
        var name = greeting.Slice(MechanismAt, MechanismBytes);
        var end = name.IndexOf((byte)0);
        return PrintableText.Of(end < 0 ? name : name[..end]);
    }
}
