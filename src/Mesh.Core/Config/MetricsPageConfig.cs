using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>One page of Prometheus metrics and the gauges that an AutoscalingMetric exports from it.</summary>
/// <param name="Port">Port of the pod, 1–65535.</param>
/// <param name="Path">Path of the page, for example <c>/metrics</c>.</param>
/// <param name="Exports">Gauges to export, in the order of the manifest.</param>
public sealed record MetricsPageConfig(int Port, string Path, ImmutableArray<MetricExportConfig> Exports);

/// <summary>One exported gauge.</summary>
/// <param name="MetricName">Name on the page, for example <c>vllm:kv_cache_usage_perc</c>.</param>
/// <param name="ExportName">Name in policies after <c>gke.named_metrics.</c>, for example <c>kv-cache</c>.</param>
public sealed record MetricExportConfig(string MetricName, string ExportName)
{
    /// <summary>Name of the AutoscalingMetric that exports it; empty where none does.</summary>
    public string Source { get; init; } = "";

    /// <summary>May be named by policies; false where it is exported for autoscaling alone.</summary>
    public bool ForLoadBalancing { get; init; } = true;
}
