using System.Globalization;
using Mesh.Engine.Federation.Frames;

namespace Mesh.Engine.Federation;

/// <summary>Who a gateway is towards its peers.</summary>
/// <param name="Name">Name, unique among the peers.</param>
/// <param name="Region">Region, unique among the peers.</param>
/// <param name="Protocol">Version of the reports' form.</param>
/// <param name="Epoch">Rises with every start.</param>
/// <param name="Version">Version of the program, for people.</param>
public sealed record PeerIdentity(string Name, string Region, int Protocol, long Epoch, string Version)
{
    /// <summary>Header of requests and answers: the sender's name.</summary>
    public const string NameHeader = "x-mesh-peer";

    /// <summary>Header: the sender's region.</summary>
    public const string RegionHeader = "x-mesh-peer-region";

    /// <summary>Header: version of the sender's reports.</summary>
    public const string ProtocolHeader = "x-mesh-peer-protocol";

    /// <summary>Header: start of the sender.</summary>
    public const string EpochHeader = "x-mesh-peer-epoch";

    /// <summary>Header: version of the sender's program.</summary>
    public const string VersionHeader = "x-mesh-peer-version";

    /// <summary>Longest name and region in characters.</summary>
    public const int MaxNameChars = 128;

    /// <summary>Header: the secret that peers share.</summary>
    public const string TokenHeader = "x-mesh-peer-token";

    /// <summary>The headers that say it.</summary>
    public IEnumerable<KeyValuePair<string, string>> Headers() =>
    [
        new(NameHeader, Name), new(RegionHeader, Region), new(ProtocolHeader, Protocol.ToString(CultureInfo.InvariantCulture)),
        new(EpochHeader, Epoch.ToString(CultureInfo.InvariantCulture)), new(VersionHeader, Version),
    ];

    /// <summary>Identity from the headers of a request or an answer; null when one is missing or cannot be read.</summary>
    /// <param name="header">Gives a header's value, null without one.</param>
    public static PeerIdentity? Read(Func<string, string?> header)
    {
        ArgumentNullException.ThrowIfNull(header);
        if (header(NameHeader) is not { Length: > 0 and <= MaxNameChars } name || header(RegionHeader) is not { Length: > 0 and <= MaxNameChars } region) return null;
        if (!int.TryParse(header(ProtocolHeader), out var protocol) || !long.TryParse(header(EpochHeader), out var epoch)) return null;
        return new PeerIdentity(name, region, protocol, epoch, header(VersionHeader) is { Length: <= MaxNameChars } version ? version : "");
    }

    /// <summary>What is wrong with the other side; null when it is the peer that was configured.</summary>
    /// <param name="peer">The peer as configured.</param>
    /// <param name="other">What the other side says of itself; null when it says nothing.</param>
    public string? Objection(PeerAddress peer, PeerIdentity? other)
    {
        ArgumentNullException.ThrowIfNull(peer);
        if (other is null) return "does not say who it is: no gateway of a mesh answers there";
        if (other.Protocol != ReportFrame.Protocol) return $"speaks version {other.Protocol} of the reports; this gateway speaks version {ReportFrame.Protocol}: bring both to the same release";
        if (other.Name == Name) return $"calls itself '{other.Name}', which is this gateway's own name: the address leads back here, or two gateways share a name";
        if (other.Name != peer.Name) return $"calls itself '{other.Name}', not '{peer.Name}'";
        if (other.Region == Region) return $"serves region '{other.Region}', which this gateway serves itself";
        if (other.Region != peer.Region) return $"serves region '{other.Region}', not '{peer.Region}'";
        return null;
    }
}
