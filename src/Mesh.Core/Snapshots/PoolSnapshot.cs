using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.PrefixCache.Exact;

namespace Mesh.Core.Snapshots;

/// <summary>State of one pool at one moment, for people, dashboards and tests. Immutable.</summary>
public sealed record PoolSnapshot
{
    /// <summary>The import.</summary>
    public required PoolId Id { get; init; }

    /// <summary>Backends ordered by id.</summary>
    public ImmutableArray<BackendSnapshot> Backends { get; init; } = [];

    /// <summary>Leases outstanding; equals the sum of the endpoints' and peers' in-flight requests.</summary>
    public int Leases { get; init; }

    /// <summary>Epoch of the state: another one after it began anew; 0 when not told.</summary>
    public long Epoch { get; init; }

    /// <summary>Gateway sessions that it knows, in the order of first contact.</summary>
    public ImmutableArray<SessionSnapshot> Sessions { get; init; } = [];

    /// <summary>How far predictions of the time to the first token were off.</summary>
    public PredictionSnapshot FirstTokenPredictions { get; init; }

    /// <summary>How far predictions of the time per output token were off.</summary>
    public PredictionSnapshot OutputTokenPredictions { get; init; }

    /// <summary>What cache events tell of the pool; null without any.</summary>
    public CacheEventsSnapshot? CacheEvents { get; init; }

    /// <summary>Peer regions, ordered by name.</summary>
    public ImmutableArray<PeerSnapshot> Peers { get; init; } = [];

    /// <summary>The shards of a pool that is divided, by number: what stands above is their sum; empty for a pool that is not.</summary>
    public ImmutableArray<ShardSnapshot> Shards { get; init; } = [];

    /// <summary>Waiting requests by priority, highest first.</summary>
    public ImmutableArray<QueueBandSnapshot> Queue { get; init; } = [];
}

/// <summary>Waiting requests of one priority.</summary>
/// <param name="Priority">Priority.</param>
/// <param name="Requests">How many wait.</param>
/// <param name="Flows">Over how many fairness ids.</param>
public sealed record QueueBandSnapshot(int Priority, int Requests, int Flows)
{
    /// <summary>How long the one that came first has waited.</summary>
    public TimeSpan OldestWait { get; init; }
}

/// <summary>Predictions of a time since the start.</summary>
/// <param name="Count">Predictions that came to an end.</param>
/// <param name="ObservedMs">Sum of what was observed, in milliseconds.</param>
/// <param name="AbsoluteErrorMs">Sum of |observed − predicted|, in milliseconds.</param>
public readonly record struct PredictionSnapshot(long Count, double ObservedMs, double AbsoluteErrorMs);

/// <summary>What is known from cache events.</summary>
/// <param name="Blocks">Blocks held, each endpoint's counted.</param>
/// <param name="Mappings">Places of prompts known in the endpoints' terms.</param>
/// <param name="Dropped">Blocks that were told but could not be kept, since the start.</param>
/// <param name="Bytes">Memory set aside.</param>
/// <param name="Learning">How the mapping of prompts has gone.</param>
public sealed record CacheEventsSnapshot(int Blocks, int Mappings, long Dropped, long Bytes, LearningCounts Learning);
