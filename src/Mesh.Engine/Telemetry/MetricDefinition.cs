using System.Collections.Immutable;

namespace Mesh.Engine.Telemetry;

/// <summary>
/// One metric, defined once: pages, meters and the reference are made from this. Immutable.
/// </summary>
public sealed record MetricDefinition
{
    /// <summary>Name on the Prometheus page, with its unit and, for counters, <c>_total</c>; null for a metric that only meters have.</summary>
    public string? PageName { get; init; }

    /// <summary>Name of the instrument, for example <c>mesh.requests</c>; null for a metric that only the page has.</summary>
    public string? MeterName { get; init; }

    /// <summary>What kind of metric it is.</summary>
    public required MetricKind Kind { get; init; }

    /// <summary>Unit in UCUM: <c>s</c>, <c>By</c>, <c>1</c>, <c>{request}</c>, …</summary>
    public required string Unit { get; init; }

    /// <summary>What it says, in one sentence with a full stop.</summary>
    public required string Meaning { get; init; }

    /// <summary>Labels in the order in which their values are given.</summary>
    public ImmutableArray<MetricLabel> Labels { get; init; } = [];

    /// <summary>Upper bounds of a histogram's buckets in the metric's unit, rising, without the infinite one; empty for other kinds.</summary>
    public ImmutableArray<double> Bounds { get; init; } = [];
}

/// <summary>A label of a metric.</summary>
/// <param name="PageName">Name on the Prometheus page.</param>
/// <param name="AttributeName">Name as an attribute of a meter's measurement.</param>
public readonly record struct MetricLabel(string PageName, string AttributeName);

/// <summary>Kind of a metric.</summary>
public enum MetricKind
{
    /// <summary>A count that only rises, and begins anew with the process.</summary>
    Counter,

    /// <summary>A value of the moment.</summary>
    Gauge,

    /// <summary>Observations in buckets.</summary>
    Histogram,
}
