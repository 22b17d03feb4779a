using System.Collections.Immutable;

namespace Mesh.Grains.Contracts;

/// <summary>How a pool is.</summary>
[GenerateSerializer, Immutable, Alias("mesh.pool-status")]
internal sealed record PoolStatus
{
    /// <summary>Epoch of the activation.</summary>
    [Id(0)] public long Epoch { get; init; }

    /// <summary>Silo that it runs on.</summary>
    [Id(1)] public string Silo { get; init; } = "";

    /// <summary>False while the configuration of its silo does not name it.</summary>
    [Id(2)] public bool IsConfigured { get; init; }

    /// <summary>Leases outstanding.</summary>
    [Id(3)] public int Leases { get; init; }

    /// <summary>Calls that wait for a decision.</summary>
    [Id(4)] public int WaitingCalls { get; init; }

    /// <summary>Gateways that have announced themselves.</summary>
    [Id(5)] public int Sessions { get; init; }

    /// <summary>Map of the pool's shards.</summary>
    [Id(6)] public ShardMapWord Shards { get; init; }

    /// <summary>Share of its time that the activation works, 0–1; 0 where nobody measures it.</summary>
    [Id(7)] public double Busy { get; init; }

    /// <summary><c>namespace/name</c>.</summary>
    [Id(20)] public string Name { get; init; } = "";

    /// <summary>How long the activation has run.</summary>
    [Id(21)] public TimeSpan Age { get; init; }
}

/// <summary>How an endpoint grain is.</summary>
/// <param name="Silo">Silo that it runs on.</param>
/// <param name="Pools">Pools that it looks after the endpoint for.</param>
[GenerateSerializer, Immutable, Alias("mesh.endpoint-status")]
internal readonly record struct EndpointStatus([property: Id(0)] string Silo, [property: Id(1)] int Pools)
{
    /// <summary>True when it is healthy for every pool that it is looked after for.</summary>
    [Id(2)] public bool IsReady { get; init; }

    /// <summary>Age of its newest sample; null before the first.</summary>
    [Id(3)] public TimeSpan? SampleAge { get; init; }
}

/// <summary>How a cluster grain is.</summary>
/// <param name="Silo">Silo that it runs on.</param>
/// <param name="Endpoints">Endpoints that answered when it last went round.</param>
/// <param name="Silos">On how many silos those are.</param>
[GenerateSerializer, Immutable, Alias("mesh.cluster-status")]
internal readonly record struct ClusterStatus([property: Id(0)] string Silo, [property: Id(1)] int Endpoints, [property: Id(2)] int Silos)
{
    /// <summary>Name of the cluster.</summary>
    [Id(3)] public string Name { get; init; } = "";

    /// <summary>How long the activation has run.</summary>
    [Id(4)] public TimeSpan Age { get; init; }

    /// <summary>Endpoints that were healthy when it last went round.</summary>
    [Id(5)] public int ReadyEndpoints { get; init; }

    /// <summary>Age of the oldest of their newest samples then; null without any.</summary>
    [Id(6)] public TimeSpan? SampleAge { get; init; }

    /// <summary>For the config cluster: version of the configuration that goes from it to all regions, or that this silo has read where there are no peers; else 0.</summary>
    [Id(7)] public long ConfigVersion { get; init; }

    /// <summary>Hash of its contents; empty where there are no peers to compare it with.</summary>
    [Id(8)] public string ConfigHash { get; init; } = "";
}

/// <summary>How a region grain is.</summary>
[GenerateSerializer, Immutable, Alias("mesh.region-status")]
internal sealed record RegionStatus
{
    /// <summary>Silo that it runs on.</summary>
    [Id(0)] public string Silo { get; init; } = "";

    /// <summary>Pools that answered when it last went round, by name.</summary>
    [Id(1)] public ImmutableArray<PoolStatus> Pools { get; init; } = [];

    /// <summary>Clusters of the region that answered.</summary>
    [Id(2)] public ImmutableArray<ClusterStatus> Clusters { get; init; } = [];

    /// <summary>Epoch under which the activation stands for the region among its peers; 0 where it does not.</summary>
    [Id(3)] public long Epoch { get; init; }

    /// <summary>How long the activation has run.</summary>
    [Id(4)] public TimeSpan Age { get; init; }

    /// <summary>Streams of reports to peers that gateways relay.</summary>
    [Id(5)] public int Streams { get; init; }
}
