using Mesh.Core.Config;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>One figure that an autoscaler can go by.</summary>
/// <param name="Pool">Pool.</param>
/// <param name="Region">Region of the cluster; null for the whole pool.</param>
/// <param name="Cluster">Cluster; null for the whole pool.</param>
/// <param name="Metric">Name: an export name of an AutoscalingMetric, or one of <see cref="ExternalMetricNames"/>.</param>
/// <param name="Statistic">One of <see cref="Statistics"/>.</param>
/// <param name="Value">Its value.</param>
internal readonly record struct ExternalValue(PoolId Pool, string? Region, string? Cluster, string Metric, string Statistic, double Value)
{
    /// <summary>Value of a label; null where it has none of that name.</summary>
    public string? Label(string name) => name switch
    {
        "pool" => Pool.Name,
        "namespace" => Pool.Namespace,
        "region" => Region,
        "cluster" => Cluster,
        "scope" => Cluster is null ? "pool" : "cluster",
        "statistic" => Statistic,
        _ => null,
    };
}

/// <summary>Over the endpoints, or backends, that report a value.</summary>
internal static class Statistics
{
    /// <summary>Mean.</summary>
    public const string Average = "average";

    /// <summary>Sum.</summary>
    public const string Sum = "sum";

    /// <summary>Greatest.</summary>
    public const string Max = "max";
}

/// <summary>Figures beside the exported metrics. The prefix keeps them apart from export names.</summary>
internal static class ExternalMetricNames
{
    /// <summary>Requests that wait in the mesh.</summary>
    public const string QueueLength = "mesh-queue-length";

    /// <summary>Requests in the endpoints' own queues.</summary>
    public const string EngineQueueLength = "mesh-engine-queue-length";

    /// <summary>Requests in flight.</summary>
    public const string InFlight = "mesh-in-flight-requests";

    /// <summary>Share of the KV cache in use.</summary>
    public const string KvUtilization = "mesh-kv-cache-utilization";

    /// <summary>Load over target.</summary>
    public const string Fullness = "mesh-fullness";

    /// <summary>Endpoints that can be sent requests.</summary>
    public const string ReadyEndpoints = "mesh-ready-endpoints";

    /// <summary>All of them.</summary>
    public static readonly string[] All = [EngineQueueLength, Fullness, InFlight, KvUtilization, QueueLength, ReadyEndpoints];

    /// <summary>What is told of a metric when the selector says nothing: sums of counts, means of shares.</summary>
    public static string DefaultStatistic(string metric) =>
        metric is QueueLength or EngineQueueLength or InFlight or ReadyEndpoints ? Statistics.Sum : Statistics.Average;
}
