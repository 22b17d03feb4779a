using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>An endpoint as a pool sees it.</summary>
internal sealed record EndpointShape
{
    /// <summary><c>ip:port</c>.</summary>
    public required string Address { get; init; }

    /// <summary>Pod.</summary>
    public required string Pod { get; init; }

    /// <summary>Pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Backend: <c>cluster/zone:port</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>Cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Region of the cluster.</summary>
    public required string Region { get; init; }

    /// <summary>Zone.</summary>
    public required string Zone { get; init; }

    /// <summary>What counts for new requests: <c>ready</c>, <c>drained</c>, <c>draining</c>, <c>ejected</c>, <c>asleep</c>, <c>unhealthy</c> or <c>unknown</c>.</summary>
    public required string State { get; init; }

    /// <summary>What the prober says: <c>healthy</c>, <c>unhealthy</c> or <c>unknown</c>.</summary>
    public required string Health { get; init; }

    /// <summary>Requests in flight, exact.</summary>
    public required int InFlightRequests { get; init; }

    /// <summary>Prompt and expected output tokens in flight.</summary>
    public required long InFlightTokens { get; init; }

    /// <summary>Requests that wait in the pool for it.</summary>
    public required int WaitingRequests { get; init; }

    /// <summary>Predicted time until a prompt sent now would begin to be computed, in milliseconds.</summary>
    public double? PredictedWaitMs { get; init; }

    /// <summary>Requests ever sent there since the pool's state began.</summary>
    public required long TotalRequests { get; init; }

    /// <summary>KV cache in use, 0–1, as last scraped.</summary>
    public double? KvUtilizationRatio { get; init; }

    /// <summary>Requests in the engine's batch, as last scraped.</summary>
    public int? EngineRunningRequests { get; init; }

    /// <summary>Requests in the engine's own queue, as last scraped.</summary>
    public int? EngineWaitingRequests { get; init; }

    /// <summary>Share of prompt tokens that the engine found in its prefix cache since its start, 0–1.</summary>
    public double? PrefixHitRatio { get; init; }

    /// <summary>Tokens that the KV cache holds.</summary>
    public long? KvCapacityTokens { get; init; }

    /// <summary>Models that it lists; absent while unknown.</summary>
    public ImmutableArray<string>? Models { get; init; }

    /// <summary>LoRA adapters that run.</summary>
    public ImmutableArray<string>? RunningAdapters { get; init; }

    /// <summary>LoRA adapters that requests wait for.</summary>
    public ImmutableArray<string>? WaitingAdapters { get; init; }

    /// <summary>LoRA adapters of one batch.</summary>
    public int? MaxLoras { get; init; }

    /// <summary>Age of the last sample, in seconds; absent before the first.</summary>
    public double? SampleAgeSeconds { get; init; }

    /// <summary>How often it was ejected.</summary>
    public required int Ejections { get; init; }

    /// <summary>For how long it is still left alone for failing requests, in seconds; absent while it is not.</summary>
    public double? EjectedForSeconds { get; init; }

    /// <summary>Requests in flight that recent failures are counted as.</summary>
    public double? FailureLoadRequests { get; init; }

    /// <summary>Where what is known of its cache comes from: <c>history</c>, <c>degraded</c> or <c>exact</c>.</summary>
    public required string CacheKnowledge { get; init; }

    /// <summary>Blocks that it holds by its cache events.</summary>
    public required int CachedBlocks { get; init; }

    /// <summary>Learned: its prompt times over the step-time table's.</summary>
    public double? PrefillSpeedRatio { get; init; }

    /// <summary>Learned: its times per output token over the step-time table's.</summary>
    public double? DecodeSpeedRatio { get; init; }

    /// <summary>Exported gauges by name; absent without any.</summary>
    public IReadOnlyDictionary<string, double>? NamedMetrics { get; init; }
}
