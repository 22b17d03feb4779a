using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>A pool: an import with its backends.</summary>
internal sealed record PoolShape
{
    /// <summary><c>namespace/name</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Namespace.</summary>
    public required string Namespace { get; init; }

    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Cluster of a pool that a route names as InferencePool; absent for an import.</summary>
    public string? LocalToCluster { get; init; }

    /// <summary>Endpoints.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Those that can be sent requests.</summary>
    public required int ReadyEndpoints { get; init; }

    /// <summary>Requests in flight.</summary>
    public required int InFlightRequests { get; init; }

    /// <summary>Leases out.</summary>
    public required int Leases { get; init; }

    /// <summary>Requests placed per second, over the last second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Requests that wait.</summary>
    public required int QueuedRequests { get; init; }

    /// <summary>Those by priority, highest first.</summary>
    public required ImmutableArray<QueueShape> Queue { get; init; }

    /// <summary>Load over target of the fullest backend that has a target; absent without one.</summary>
    public double? Fullness { get; init; }

    /// <summary>Scheduling profile.</summary>
    public string? Profile { get; init; }

    /// <summary>Epoch of the pool's state; rises when it began anew.</summary>
    public required long Epoch { get; init; }

    /// <summary>Time to the first token over the last minute, all backends.</summary>
    public PercentilesShape? TimeToFirstToken { get; init; }

    /// <summary>Time per output token over the last minute, all backends.</summary>
    public PercentilesShape? TimePerOutputToken { get; init; }

    /// <summary>Predicted times to the first token: how many, and their mean error.</summary>
    public required PredictionShape FirstTokenPredictions { get; init; }

    /// <summary>Predicted times per output token.</summary>
    public required PredictionShape OutputTokenPredictions { get; init; }

    /// <summary>Backends by id.</summary>
    public required ImmutableArray<BackendShape> Backends { get; init; }

    /// <summary>Shards of a pool that is divided, by number; null where it is not.</summary>
    public ImmutableArray<ShardShape>? Shards { get; init; }

    /// <summary>Policies attached to it; only of a single pool.</summary>
    public ImmutableArray<AttachedPolicyShape>? Policies { get; init; }

    /// <summary>Settings of the whole pool and where they are written; only of a single pool.</summary>
    public ImmutableArray<SettingShape>? Settings { get; init; }
}

/// <summary>Waiting requests of one priority.</summary>
/// <param name="Priority">Priority.</param>
/// <param name="Requests">How many wait.</param>
/// <param name="Flows">Over how many fairness ids.</param>
/// <param name="OldestWaitSeconds">How long the first has waited.</param>
internal sealed record QueueShape(int Priority, int Requests, int Flows, double OldestWaitSeconds);

/// <summary>One shard of a pool: figures of the pool are those of all.</summary>
/// <param name="Shard">Its number, from 0.</param>
/// <param name="Epoch">Epoch of its state.</param>
/// <param name="Endpoints">Endpoints that it places requests on.</param>
/// <param name="HealthyEndpoints">Those of them that are healthy.</param>
/// <param name="Leases">Leases that it has out.</param>
/// <param name="QueuedRequests">Requests that wait with it.</param>
/// <param name="Forwarded">Requests that it has sent on to other shards.</param>
/// <param name="Received">Requests that other shards have sent it, refused ones included.</param>
internal sealed record ShardShape(int Shard, long Epoch, int Endpoints, int HealthyEndpoints, int Leases, int QueuedRequests, long Forwarded, long Received);

/// <summary>Percentiles over the last minute, in milliseconds, off by less than 15%.</summary>
/// <param name="Count">Observations.</param>
/// <param name="P50Ms">Median.</param>
/// <param name="P90Ms">90th percentile.</param>
/// <param name="P95Ms">95th percentile.</param>
/// <param name="P99Ms">99th percentile.</param>
internal sealed record PercentilesShape(long Count, double P50Ms, double P90Ms, double P95Ms, double P99Ms);

/// <summary>How far predictions were off since the pool's state began.</summary>
/// <param name="Count">Predictions that came to an end.</param>
/// <param name="MeanObservedMs">Mean of what was observed; absent without any.</param>
/// <param name="MeanErrorMs">Mean of |observed − predicted|; absent without any.</param>
internal sealed record PredictionShape(long Count, double? MeanObservedMs, double? MeanErrorMs);

/// <summary>A policy of a pool.</summary>
/// <param name="Kind">Kind.</param>
/// <param name="Name"><c>namespace/name</c>.</param>
internal sealed record AttachedPolicyShape(string Kind, string Name);

/// <summary>A setting in effect.</summary>
/// <param name="Name">Field.</param>
/// <param name="Value">Value as a person would write it.</param>
/// <param name="Source">Where it was taken from, as text.</param>
/// <param name="Origin"><c>builtIn</c>, <c>policy</c>, <c>scope</c> or <c>inferred</c>.</param>
/// <param name="File">File; absent for what is built in.</param>
/// <param name="Line">Line from 1; absent for what is built in.</param>
internal sealed record SettingShape(string Name, string Value, string Source, string Origin, string? File, int? Line);
