using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>A metric that nobody keeps: it is read off the mesh's state when somebody asks.</summary>
internal sealed class ObservedMetric(MetricDefinition definition, Action<Reading, IMetricSink> collect) : IMetricSource
{
    public MetricDefinition Definition => definition;

    public void Collect(Reading reading, IMetricSink sink) => collect(reading, sink);
}
