using System.Collections.Immutable;

namespace Mesh.Core.Endpoints;

/// <summary>One reading of an endpoint's own metrics. Null means unknown: an endpoint that does not report a value never reads as 0.</summary>
public sealed record EndpointSample
{
    /// <summary>Endpoint it was read from.</summary>
    public required EndpointId Endpoint { get; init; }

    /// <summary>When it was read: <see cref="TimeProvider.GetTimestamp"/> of the host's clock.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Share of KV-cache blocks in use, 0–1 (<c>vllm:kv_cache_usage_perc</c>, before 0.10.2 <c>vllm:gpu_cache_usage_perc</c>).</summary>
    public double? KvUtilizationRatio { get; init; }

    /// <summary>Requests in the running batch (<c>vllm:num_requests_running</c>).</summary>
    public int? RunningRequests { get; init; }

    /// <summary>Requests in the engine's queue (<c>vllm:num_requests_waiting</c>).</summary>
    public int? WaitingRequests { get; init; }

    /// <summary>The endpoint's own utilization, 0 and up (ORCA <c>application_utilization</c>).</summary>
    public double? ApplicationUtilizationRatio { get; init; }

    /// <summary>CPU utilization, 0 and up (ORCA <c>cpu_utilization</c>).</summary>
    public double? CpuUtilizationRatio { get; init; }

    /// <summary>What UTILIZATION balances by: the endpoint's own figure, else the CPU's, else the KV cache's.</summary>
    public double? UtilizationRatio => ApplicationUtilizationRatio ?? CpuUtilizationRatio ?? KvUtilizationRatio;

    /// <summary>Tokens that the KV cache holds (<c>vllm:cache_config_info</c>: block_size × num_gpu_blocks).</summary>
    public long? KvCapacityTokens { get; init; }

    /// <summary>
    /// Age up to which the reading counts, above 0 and at most 1 h; null for the pool's own limit. A host that reads a resting endpoint seldom
    /// says so here, lest it be taken for one that fell silent.
    /// </summary>
    public TimeSpan? MaxAge { get; init; }

    /// <summary>
    /// Since when the engine has been running, in seconds since the Unix epoch (<c>process_start_time_seconds</c>); from a server that does not
    /// tell, when it was first read, or its counters were found to begin anew. Null means unknown. A value other than the last known one
    /// says that the engine has been restarted: its caches are empty.
    /// </summary>
    public double? EngineStarted { get; init; }

    /// <summary>True while an engine is put to sleep (<c>vllm:engine_sleep_state</c>): it answers no requests, and wakes with an empty KV cache.</summary>
    public bool IsAsleep { get; init; }

    /// <summary>LoRA adapters that one batch can hold (<c>vllm:lora_requests_info</c>, <c>max_lora</c>); null when the server does not tell.</summary>
    public int? MaxLoras { get; init; }

    /// <summary>Adapters with running requests, in the server's order, never default; empty when it does not tell (<c>running_lora_adapters</c>).</summary>
    public ImmutableArray<string> RunningAdapters { get; init; } = [];

    /// <summary>Adapters with waiting requests, in the server's order, never default; empty when it does not tell (<c>waiting_lora_adapters</c>).</summary>
    public ImmutableArray<string> WaitingAdapters { get; init; } = [];

    /// <summary>
    /// Seconds of prefill for one token of a prompt, cached ones included, 0 and up: a mean over the requests that ended lately, else over the
    /// engine's life (<c>vllm:request_prefill_time_seconds</c> and <c>vllm:request_prompt_tokens</c>). Null means unknown.
    /// </summary>
    public double? MeanPrefillSecondsPerToken { get; init; }

    /// <summary>Tokens of a prompt lately, cached ones included; null when unknown (<c>vllm:request_prompt_tokens</c>).</summary>
    public double? MeanPromptTokens { get; init; }

    /// <summary>Prefills that the engine has counted since its start, 0 when unknown: a sample with no more of them than the last one adds nothing new.</summary>
    public long PrefillObservations { get; init; }

    /// <summary>
    /// Seconds between two tokens of an answer, 0 and up: a mean over the latest tokens, else over the engine's life
    /// (<c>vllm:inter_token_latency_seconds</c>, before 0.11 <c>vllm:time_per_output_token_seconds</c>). Null means unknown.
    /// </summary>
    public double? MeanInterTokenSeconds { get; init; }

    /// <summary>Pauses between tokens that the engine has counted since its start, 0 when unknown: see <see cref="PrefillObservations"/>.</summary>
    public long InterTokenObservations { get; init; }

    /// <summary>Prompt tokens that the engine has looked up in its prefix cache since its start (<c>vllm:prefix_cache_queries</c>); null means unknown.</summary>
    public double? PrefixCacheQueriedTokens { get; init; }

    /// <summary>Those of them that it found (<c>vllm:prefix_cache_hits</c>); null means unknown.</summary>
    public double? PrefixCacheHitTokens { get; init; }

    /// <summary>Exported gauges by export name (AutoscalingMetric's <c>exportName</c>).</summary>
    public ImmutableSortedDictionary<string, double> NamedMetrics { get; init; } = ImmutableSortedDictionary<string, double>.Empty;
}
