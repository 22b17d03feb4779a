namespace Mesh.Core.SpillOver;

/// <summary>GCPTrafficDistributionPolicy as the core reads it.</summary>
public sealed record SpillOverSettings
{
    /// <summary>Order of filling.</summary>
    public DistributionAlgorithm Algorithm { get; init; }

    /// <summary>Drains backends with few healthy endpoints.</summary>
    public bool AutoCapacityDrain { get; init; }

    /// <summary>Healthy share, 0–1, below which a backend passes a part of its requests to the next tier.</summary>
    public double FailoverHealthThreshold { get; init; } = 0.7;
}
