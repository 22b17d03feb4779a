using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>Gauges of vLLM's metrics page that a simulated engine of a fleet tells.</summary>
internal static class SimulatedMetrics
{
    /// <summary>Names of all of them.</summary>
    public static IReadOnlyList<string> Names { get; } = ["vllm:kv_cache_usage_perc", "vllm:num_requests_running", "vllm:num_requests_waiting"];

    /// <summary>Value of a gauge; null for one that is not told.</summary>
    public static double? Read(string name, in EngineGauges gauges) => name switch
    {
        "vllm:kv_cache_usage_perc" => gauges.KvUtilizationRatio,
        "vllm:num_requests_running" => gauges.Running,
        "vllm:num_requests_waiting" => gauges.Waiting,
        _ => null,
    };
}
