namespace Mesh.Core.Config;

/// <summary>GCPTrafficDistributionPolicy: how a pool's load is spread over its backends.</summary>
public sealed record TrafficDistributionConfig
{
    /// <summary>What holds without a policy.</summary>
    public static TrafficDistributionConfig Default { get; } = new();

    /// <summary>Order in which backends fill.</summary>
    public ServiceLbAlgorithm Algorithm { get; init; } = ServiceLbAlgorithm.WaterfallByRegion;

    /// <summary>Drains a backend with less than 25% of its endpoints healthy.</summary>
    public bool AutoCapacityDrain { get; init; }

    /// <summary>Share of healthy endpoints below which a backend's load begins to go to the next tier, 0–1.</summary>
    public double FailoverHealthThreshold { get; init; } = 0.7;
}

/// <summary><c>serviceLbAlgorithm</c>.</summary>
public enum ServiceLbAlgorithm
{
    /// <summary>The nearest region's backends in proportion to capacity, then the next region.</summary>
    WaterfallByRegion,

    /// <summary>The nearest zone first, then the region's other zones, then the next region.</summary>
    WaterfallByZone,

    /// <summary>Every zone of the region evenly, whatever is nearest.</summary>
    SprayToRegion,
}
