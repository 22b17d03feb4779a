using Mesh.Engine.Telemetry;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.ExternalMetrics;

/// <summary>The same figures as series, for adapters that read Prometheus.</summary>
internal static class ExternalMetricSource
{
    /// <summary>The one metric; which figure it is stands in its labels.</summary>
    public static IMetricSource Source { get; } = new ObservedMetric(
        new MetricDefinition
        {
            PageName = "mesh_external_metric",
            MeterName = "mesh.external_metric",
            Kind = MetricKind.Gauge,
            Unit = "1",
            Meaning = "What autoscalers go by, of a cluster, or of the whole pool where cluster is empty: metrics exported by AutoscalingMetric, queue length, fullness and others.",
            Labels =
            [
                RequestMetricDefinitions.Pool, RequestMetricDefinitions.Region, RequestMetricDefinitions.Cluster, new("metric", "mesh.metric"), new("statistic", "mesh.statistic"),
            ],
        },
        (reading, sink) =>
        {
            foreach (var value in ExternalValues.Read(reading.Pools))
            {
                sink.Sample([value.Pool.ToString(), value.Region ?? "", value.Cluster ?? "", value.Metric, value.Statistic], value.Value);
            }
        });
}
