using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.SpillOver;

namespace Mesh.Scenarios;

/// <summary>
/// One story of a pool, complete in itself: where its backends stand, what policies hold, what arrives, how long it takes and what happens
/// on the way. Everything random comes from the seed, so that every host that plays it must give the same trace. Times are in seconds
/// from the start.
/// </summary>
public sealed record Scenario
{
    public required string Name { get; init; }

    /// <summary>Decides arrivals, service times and how the pool breaks ties.</summary>
    public ulong Seed { get; init; } = 1;

    public required double DurationSeconds { get; init; }

    /// <summary>Start of the figures in the result; the trace begins at 0.</summary>
    public double WarmUpSeconds { get; init; }

    /// <summary>Where the gateway stands.</summary>
    public Locality Locality { get; init; } = new() { Region = "west" };

    public required ImmutableArray<ScenarioBackend> Backends { get; init; }

    public ImmutableArray<ScenarioArrivals> Arrivals { get; init; } = [];

    public ImmutableArray<ScenarioEvent> Events { get; init; } = [];

    public FlowControlSettings FlowControl { get; init; } = new();

    public TrafficDistributionConfig TrafficDistribution { get; init; } = TrafficDistributionConfig.Default;

    /// <summary>Time between two readings of an endpoint; each endpoint has its own phase.</summary>
    public double ScrapeIntervalSeconds { get; init; } = 0.2;

    /// <summary>Age of a reading when the pool gets it.</summary>
    public double SampleAgeSeconds { get; init; } = 0.02;

    /// <summary>Time between two probes of an endpoint; two in a row decide.</summary>
    public double ProbeIntervalSeconds { get; init; } = 1;
}
