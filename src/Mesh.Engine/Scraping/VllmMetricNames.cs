namespace Mesh.Engine.Scraping;

/// <summary>The gauges of vLLM's own page that the engine reads.</summary>
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

    /// <summary>True for gauges that count something, so that several engines add up; others are shares and are averaged.</summary>
    public static bool IsCount(string name) => name is RunningRequests or WaitingRequests;
}
