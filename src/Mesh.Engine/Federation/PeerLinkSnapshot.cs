namespace Mesh.Engine.Federation;

/// <summary>What is known of one peer region at one moment, for people and dashboards. Immutable.</summary>
public sealed record PeerLinkSnapshot
{
    /// <summary>Name by which it is configured.</summary>
    public required string Name { get; init; }

    /// <summary>Its region.</summary>
    public required string Region { get; init; }

    /// <summary>How the link to it is.</summary>
    public PeerReach State { get; init; }

    /// <summary>Address that is spoken to, or was last.</summary>
    public string Address { get; init; } = "";

    /// <summary>Version of its program; empty before it has answered.</summary>
    public string Version { get; init; } = "";

    /// <summary>Least round-trip time of the last while; null before one has been measured.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Smoothed round-trip time, what waits on the way included; null before one has been measured.</summary>
    public TimeSpan? SmoothedRoundTrip { get; init; }

    /// <summary>Since its last report came in; null before the first.</summary>
    public TimeSpan? ReportAge { get; init; }

    /// <summary>Since the newest of our own reports that it says it has heard was sent; null before the first. Grows while only the way to us works.</summary>
    public TimeSpan? EchoAge { get; init; }

    /// <summary>Number of its last report; 0 before the first.</summary>
    public long Sequence { get; init; }

    /// <summary>Requests that it lets us send until its next report, over all pools; what has been used is not in it any more.</summary>
    public double Credits { get; init; }

    /// <summary>Requests that we let it send until our next report, over all pools.</summary>
    public double Granted { get; init; }

    /// <summary>Requests forwarded to it that are under way.</summary>
    public int Forwarded { get; init; }

    /// <summary>Version of the configuration that it goes by; 0 for none.</summary>
    public long ConfigVersion { get; init; }

    /// <summary>Hash of that configuration's contents; empty for none.</summary>
    public string ConfigHash { get; init; } = "";

    /// <summary>Bytes of its reports per second, on the wire before TLS, over the last seconds.</summary>
    public double ReceivedBytesPerSecond { get; init; }

    /// <summary>Bytes of our reports to it per second.</summary>
    public double SentBytesPerSecond { get; init; }

    /// <summary>Bytes of its reports since the start.</summary>
    public long ReceivedBytes { get; init; }

    /// <summary>Bytes of our reports to it since the start.</summary>
    public long SentBytes { get; init; }

    /// <summary>How often the link was set up since the start.</summary>
    public long Connections { get; init; }

    /// <summary>What went wrong last, in words; null when nothing has since the link last came up.</summary>
    public string? LastError { get; init; }
}

/// <summary>How the link to a peer is.</summary>
public enum PeerReach
{
    /// <summary>It has not been heard yet.</summary>
    Connecting,

    /// <summary>Reports come in time, and it hears ours: requests may overflow there.</summary>
    Healthy,

    /// <summary>Reports are late: no new request overflows there.</summary>
    Suspect,

    /// <summary>Silent, in either direction: what was on its way there is answered elsewhere.</summary>
    Unreachable,

    /// <summary>It is not the peer that was configured, or does not take us for one; <see cref="PeerLinkSnapshot.LastError"/> says why.</summary>
    Refused,
}
