using Mesh.Core.Sharding;

namespace Mesh.Grains.Contracts;

/// <summary><see cref="ShardMap"/> on the wire; all zero, as versions send it that know of no shards, is a pool that is not divided.</summary>
[GenerateSerializer, Immutable, Alias("mesh.shard-map")]
internal readonly record struct ShardMapWord([property: Id(0)] long Version, [property: Id(1)] int Count, [property: Id(2)] int CountBefore)
{
    public static implicit operator ShardMapWord(ShardMap map) => new(map.Version, map.Count, map.CountBefore);

    /// <summary>The map.</summary>
    public ShardMap ToMap() => Count == 0 ? ShardMap.Undivided : new ShardMap(Version, Count, CountBefore);
}

/// <summary>How a shard is, for the gateways' choice.</summary>
/// <param name="Map">Map in force there.</param>
/// <param name="Requests">Requests in flight and waiting.</param>
/// <param name="Endpoints">Healthy endpoints.</param>
[GenerateSerializer, Immutable, Alias("mesh.shard-state")]
internal readonly record struct ShardState([property: Id(0)] ShardMapWord Map, [property: Id(1)] int Requests, [property: Id(2)] int Endpoints);

/// <summary>What one shard tells another, ten times a second and at once on a big change.</summary>
[GenerateSerializer, Immutable, Alias("mesh.shard-news")]
internal sealed record ShardNews
{
    /// <summary>Number of the sender.</summary>
    [Id(0)] public int From { get; init; }

    /// <summary>Map in force there.</summary>
    [Id(1)] public ShardMapWord Map { get; init; }

    /// <summary>Share of its time that it works, 0–1.</summary>
    [Id(2)] public double Busy { get; init; }

    /// <summary>Its report, with the receiver's credits, as <see cref="Mesh.Grains.Shards.ShardJson"/> writes it.</summary>
    [Id(3)] public byte[] Report { get; init; } = [];
}

/// <summary>What a shard that gives endpoints away knows of them, for the one that gets them.</summary>
[GenerateSerializer, Immutable, Alias("mesh.shard-handover")]
internal sealed record ShardHandover
{
    /// <summary>Number of the sender.</summary>
    [Id(0)] public int From { get; init; }

    /// <summary>Map by which they move.</summary>
    [Id(1)] public ShardMapWord Map { get; init; }

    /// <summary>What is known of the endpoints.</summary>
    [Id(2)] public EndpointNews[] Endpoints { get; init; } = [];

    /// <summary>Leases that are out on them, by session.</summary>
    [Id(3)] public Pools.SessionHandover[] Sessions { get; init; } = [];
}

/// <summary>What the shards of one pool say to each other; every pool's grain is one.</summary>
[Alias("mesh.pool-shard")]
internal interface IPoolShard : IGrainWithStringKey
{
    /// <summary>News of another shard; the answer is the map in force here.</summary>
    [Alias("hear"), ResponseTimeout("00:00:01")]
    ValueTask<ShardMapWord> Hear(ShardNews news);

    /// <summary>Takes endpoints over; false when it cannot yet.</summary>
    [Alias("take-over"), ResponseTimeout("00:00:02")]
    ValueTask<bool> TakeOver(ShardHandover handover);
}
