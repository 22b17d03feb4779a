using System.Collections.Immutable;
using Mesh.Core.Snapshots;
using Mesh.Engine.Telemetry;

namespace Mesh.Gateway.Metrics;

/// <summary>Something that can tell the series of one metric.</summary>
internal interface IMetricSource
{
    /// <summary>The metric.</summary>
    MetricDefinition Definition { get; }

    /// <summary>Tells every series, each once.</summary>
    void Collect(Reading reading, IMetricSink sink);
}

/// <summary>Takes the series of a metric.</summary>
internal interface IMetricSink
{
    /// <summary>A count or a value of the moment.</summary>
    /// <param name="values">Values of the definition's labels; more may follow and are ignored.</param>
    /// <param name="value">Value in the metric's unit.</param>
    void Sample(ReadOnlySpan<string> values, double value);

    /// <summary>A histogram.</summary>
    void Distribution(ReadOnlySpan<string> values, Histogram histogram);
}

/// <summary>The state of the mesh at the moment of a reading.</summary>
/// <param name="Pools">Every pool.</param>
/// <param name="Time">Clock.</param>
internal sealed record Reading(ImmutableArray<PoolSnapshot> Pools, TimeProvider Time);
