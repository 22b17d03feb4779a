namespace Mesh.Engine.Scraping;

/// <summary>What the engine reads of vLLM's own page.</summary>
internal static class VllmMetricNames
{
    /// <summary>Share of KV-cache blocks in use, 0–1.</summary>
    public const string KvCacheUsage = "vllm:kv_cache_usage_perc";

    /// <summary>The same before version 0.10.2.</summary>
    public const string KvCacheUsageOld = "vllm:gpu_cache_usage_perc";

    /// <summary>Requests in the running batch.</summary>
    public const string RunningRequests = "vllm:num_requests_running";

    /// <summary>Requests in the engine's queue.</summary>
    public const string WaitingRequests = "vllm:num_requests_waiting";

    /// <summary>Start of the server's process, seconds since the Unix epoch.</summary>
    public const string ProcessStart = "process_start_time_seconds";

    /// <summary>Prompt tokens of all requests so far.</summary>
    public const string PromptTokens = "vllm:prompt_tokens_total";

    /// <summary>Tokens generated so far.</summary>
    public const string GenerationTokens = "vllm:generation_tokens_total";

    /// <summary>Requests ended so far, by reason.</summary>
    public const string FinishedRequests = "vllm:request_success_total";

    /// <summary>Prompt tokens looked up in the prefix cache so far.</summary>
    public const string PrefixQueries = "vllm:prefix_cache_queries_total";

    /// <summary>Prompt tokens found in the prefix cache so far.</summary>
    public const string PrefixHits = "vllm:prefix_cache_hits_total";

    /// <summary>Seconds from being scheduled to the first token, summed over the requests that have ended.</summary>
    public const string PrefillSeconds = "vllm:request_prefill_time_seconds_sum";

    /// <summary>Requests in that sum.</summary>
    public const string PrefillRequests = "vllm:request_prefill_time_seconds_count";

    /// <summary>Prompt tokens, cached ones included, summed over the requests that have ended.</summary>
    public const string EndedPromptTokens = "vllm:request_prompt_tokens_sum";

    /// <summary>Seconds between the tokens of an answer, summed.</summary>
    public const string InterTokenSeconds = "vllm:inter_token_latency_seconds_sum";

    /// <summary>Pauses in that sum.</summary>
    public const string InterTokenPauses = "vllm:inter_token_latency_seconds_count";

    /// <summary>The older name of <see cref="InterTokenSeconds"/>; for a while servers write both.</summary>
    public const string InterTokenSecondsOld = "vllm:time_per_output_token_seconds_sum";

    /// <summary>The older name of <see cref="InterTokenPauses"/>.</summary>
    public const string InterTokenPausesOld = "vllm:time_per_output_token_seconds_count";

    /// <summary>Sizes of the KV cache, as labels.</summary>
    public const string CacheConfig = "vllm:cache_config_info";

    /// <summary>Adapters with running and waiting requests, as labels; the value is the time.</summary>
    public const string LoraRequests = "vllm:lora_requests_info";

    /// <summary>One series for each state of sleep, 1 for that in force.</summary>
    public const string SleepState = "vllm:engine_sleep_state";

    /// <summary>True for what counts something, so that several engines add up; the rest are shares and are averaged.</summary>
    public static bool IsCount(string name) =>
        name is RunningRequests or WaitingRequests || name.EndsWith("_total", StringComparison.Ordinal)
            || name.EndsWith("_sum", StringComparison.Ordinal) || name.EndsWith("_count", StringComparison.Ordinal);
}
