namespace Mesh.Grains.Federation;

/// <summary>What the region's grain tells one pool: who the peers are, and what is new of them.</summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-exchange")]
internal sealed record PoolExchange
{
    /// <summary>Name of the own region.</summary>
    [Id(0)] public string Region { get; init; } = "";

    /// <summary>Epoch of the region's activation: an earlier one's exchange is not carried out.</summary>
    [Id(1)] public long Epoch { get; init; }

    /// <summary>Peer regions, all of them.</summary>
    [Id(2)] public string[] Peers { get; init; } = [];

    /// <summary>What is new of some of them.</summary>
    [Id(3)] public PeerNews[] News { get; init; } = [];

    /// <summary>Epoch that the pool's shards are to send to peers with; no higher than their own, it changes nothing.</summary>
    [Id(4)] public long Account { get; init; }
}

/// <summary>What is new of one peer. Of several reports only the newest is told: each sets what holds, none adds to another.</summary>
[GenerateSerializer, Immutable, Alias("mesh.peer-news")]
internal sealed record PeerNews
{
    [Id(0)] public string Region { get; init; } = "";

    /// <summary>True when a report has come.</summary>
    [Id(1)] public bool HasReport { get; init; }

    /// <summary>The report's head.</summary>
    [Id(2)] public long Instance { get; init; }

    [Id(3)] public long Sequence { get; init; }

    /// <summary>How long ago the peer has heard of this region, in ticks of <see cref="TimeSpan"/>; null when never.</summary>
    [Id(4)] public long? HeardAgeTicks { get; init; }

    [Id(5)] public long ConfigVersion { get; init; }

    [Id(6)] public string SoftwareVersion { get; init; } = "";

    /// <summary>The pool's part of it, by <see cref="PartBytes"/>; null when the peer does not have the pool.</summary>
    [Id(7)] public byte[]? Part { get; init; }

    /// <summary>Round trip as measured last, in ticks; null when there is no new one.</summary>
    [Id(8)] public long? RoundTripTicks { get; init; }

    /// <summary>True when the stream of its reports has broken since.</summary>
    [Id(9)] public bool IsLost { get; init; }
}

/// <summary>What a pool tells its region's grain.</summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-exchange-reply")]
internal sealed record PoolExchangeReply
{
    /// <summary>True when another activation of the region's grain has taken the place of the one that asks.</summary>
    [Id(0)] public bool IsSuperseded { get; init; }

    /// <summary>Highest epoch of the region's activations that the pool knows.</summary>
    [Id(1)] public long RegionEpoch { get; init; }

    /// <summary>The pool's part of the report to each peer; empty while its silo's configuration does not name it.</summary>
    [Id(2)] public ReportPart[] Parts { get; init; } = [];

    /// <summary>Map of the pool's shards in force there.</summary>
    [Id(3)] public Mesh.Grains.Contracts.ShardMapWord Shards { get; init; }

    /// <summary>Epoch that it sends to peers with; 0 without a part.</summary>
    [Id(4)] public long Account { get; init; }
}

/// <summary>A pool's part of the report to one peer.</summary>
/// <param name="Receiver">The peer's region.</param>
/// <param name="Bytes">By <see cref="PartBytes"/>.</param>
/// <param name="Sent">Requests sent to the peer under the account's epoch.</param>
/// <param name="Awaited">Requests there whose answers have not begun.</param>
/// <param name="InFlight">Requests there that have not ended.</param>
[GenerateSerializer, Immutable, Alias("mesh.report-part")]
internal readonly record struct ReportPart(
    [property: Id(0)] string Receiver, [property: Id(1)] byte[] Bytes, [property: Id(2)] long Sent = 0, [property: Id(3)] int Awaited = 0, [property: Id(4)] int InFlight = 0);
