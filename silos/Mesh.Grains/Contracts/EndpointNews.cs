using Mesh.Core.Endpoints;

namespace Mesh.Grains.Contracts;

/// <summary>What is new of an endpoint; null for what is not.</summary>
[GenerateSerializer, Immutable, Alias("mesh.endpoint-news")]
internal sealed record EndpointNews
{
    [Id(0)] public EndpointId Endpoint { get; init; }

    /// <summary>Verdict of its prober, never unknown.</summary>
    [Id(1)] public EndpointHealth? Health { get; init; }

    /// <summary>Models that it lists.</summary>
    [Id(2)] public string[]? Models { get; init; }

    /// <summary>Latest reading of its metrics.</summary>
    [Id(3)] public EndpointSample? Sample { get; init; }

    /// <summary>Age of the reading when the message was made, in ticks of <see cref="TimeSpan"/>: the clocks of two machines have nothing in common.</summary>
    [Id(4)] public long SampleAgeTicks { get; init; }

    /// <summary>True while it is scraped seldom because it has nothing to do.</summary>
    [Id(5)] public bool IsResting { get; init; }
}

/// <summary>What a pool says to <see cref="EndpointNews"/>.</summary>
/// <param name="Epoch">Epoch of the activation: a new one has to be told everything.</param>
/// <param name="IsKnown">False when the pool, or its shard, does not have the endpoint.</param>
/// <param name="Shards">Map of the pool's shards: by it another shard may have it.</param>
[GenerateSerializer, Immutable, Alias("mesh.learn-reply")]
internal readonly record struct LearnReply([property: Id(0)] long Epoch, [property: Id(1)] bool IsKnown, [property: Id(2)] ShardMapWord Shards = default);
