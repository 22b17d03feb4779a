using Mesh.Engine.Federation;

namespace Mesh.Grains.Federation;

/// <summary>What a region's grain tells the gateways and silos of its region.</summary>
[GenerateSerializer, Immutable, Alias("mesh.region-news")]
internal sealed record RegionNews
{
    /// <summary>Epoch of the activation; 0 where its silo has no peers configured.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>State of the links, an array of <see cref="PeerLinkSnapshot"/> as JSON: for people and for choosing, and readers pass over what they do not know.</summary>
    [Id(1)] public byte[] Links { get; init; } = [];

    /// <summary>The configuration that the region goes by.</summary>
    [Id(2)] public string ConfigCluster { get; init; } = "";

    [Id(3)] public string ConfigOrigin { get; init; } = "";

    [Id(4)] public long ConfigVersion { get; init; }

    [Id(5)] public string ConfigHash { get; init; } = "";

    /// <summary>True while two clusters claim to be the config cluster.</summary>
    [Id(6)] public bool HasConflict { get; init; }

    /// <summary>The configuration as peers know it.</summary>
    public ConfigTag Config => ConfigCluster.Length == 0 ? ConfigTag.None : new ConfigTag(ConfigCluster, ConfigOrigin, ConfigVersion, ConfigHash);
}

/// <summary>A gateway asks for the next events of a stream that it relays.</summary>
[GenerateSerializer, Immutable, Alias("mesh.report-call")]
internal sealed record ReportCall
{
    /// <summary>Epoch of the activation as the peer was told it: events of another one would mean nothing to it.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>Name of the stream, another one for each connection of a peer.</summary>
    [Id(1)] public string Stream { get; init; } = "";

    /// <summary>True for the first call of a stream.</summary>
    [Id(2)] public bool IsFirst { get; init; }

    /// <summary>The peer: name, region, version of the reports' form, start, and version of its program.</summary>
    [Id(3)] public string Name { get; init; } = "";

    [Id(4)] public string Region { get; init; } = "";

    [Id(5)] public int Protocol { get; init; }

    [Id(6)] public long PeerEpoch { get; init; }

    [Id(7)] public string Version { get; init; } = "";

    /// <summary>The peer.</summary>
    public PeerIdentity Reader => new(Name, Region, Protocol, PeerEpoch, Version);
}

/// <summary>Events of a stream.</summary>
/// <param name="Bytes">As they go to the peer; empty when none came for a while.</param>
/// <param name="HasEnded">True when there will be no more: the peer has to begin anew.</param>
[GenerateSerializer, Immutable, Alias("mesh.report-page")]
internal readonly record struct ReportPage([property: Id(0)] byte[] Bytes, [property: Id(1)] bool HasEnded);
