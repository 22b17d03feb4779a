using Mesh.Core.Config;
using Mesh.Core.FlowControl;

namespace Mesh.Scenarios;

/// <summary>Something that happens at a time. What is null stays as it is; what concerns a backend needs its cluster.</summary>
public sealed record ScenarioEvent
{
    public required double AtSeconds { get; init; }

    /// <summary>The backend concerned.</summary>
    public string? Cluster { get; init; }

    /// <summary>From now on so many of its endpoints answer probes.</summary>
    public int? HealthyEndpoints { get; init; }

    /// <summary>From now on its endpoints do, or do not, answer scrapes.</summary>
    public bool? Scraped { get; init; }

    /// <summary>The configuration gives it so many endpoints.</summary>
    public int? Endpoints { get; init; }

    /// <summary>The configuration gives it these settings.</summary>
    public BackendSettings? Settings { get; init; }

    /// <summary>The configuration gives the pool these.</summary>
    public FlowControlSettings? FlowControl { get; init; }

    /// <summary>The configuration gives the pool these.</summary>
    public TrafficDistributionConfig? TrafficDistribution { get; init; }

    /// <summary>True when the pool gets a new configuration.</summary>
    public bool Reconfigures => Endpoints is not null || Settings is not null || FlowControl is not null || TrafficDistribution is not null;
}
