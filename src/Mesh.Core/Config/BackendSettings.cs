using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>Effective GCPBackendPolicy settings of one backend; null where no policy sets a target.</summary>
public sealed record BackendSettings
{
    /// <summary>Filled before DEFAULT backends when PREFERRED.</summary>
    public BackendPreference Preference { get; init; }

    /// <summary>What fullness is measured in; null: no target.</summary>
    public BalancingMode? Mode { get; init; }

    /// <summary>Target capacity multiplier, 0–1 (<c>capacityScalerPercent</c> / 100); 0 drains.</summary>
    public double CapacityScaler { get; init; } = 1;

    /// <summary>Target of new requests per second and endpoint, 1–1e9.</summary>
    public double? MaxRatePerEndpoint { get; init; }

    /// <summary>Target of concurrent requests per endpoint, at least 1.</summary>
    public int? MaxInFlightPerEndpoint { get; init; }

    /// <summary>Target of the endpoint's own utilization in UTILIZATION mode, 0–1.</summary>
    public double? MaxUtilization { get; init; }

    /// <summary>Custom metrics, at most two.</summary>
    public ImmutableArray<CustomMetricTarget> CustomMetrics { get; init; } = [];

    /// <summary>SHORT or LONG; null where the policy leaves it open.</summary>
    public TrafficDuration? TrafficDuration { get; init; }
}

/// <summary>One custom metric of a policy.</summary>
/// <param name="ExportName">Name after <c>gke.named_metrics.</c>.</param>
/// <param name="MaxUtilization">Target, 0–1.</param>
/// <param name="DryRun">Measured and shown, never used.</param>
public sealed record CustomMetricTarget(string ExportName, double MaxUtilization, bool DryRun);

/// <summary><c>backendPreference</c>.</summary>
public enum BackendPreference
{
    /// <summary>Used once the preferred backends are at target.</summary>
    Default,

    /// <summary>Used first.</summary>
    Preferred,
}

/// <summary><c>balancingMode</c>.</summary>
public enum BalancingMode
{
    /// <summary>New requests per second.</summary>
    Rate,

    /// <summary>Concurrent requests.</summary>
    InFlight,

    /// <summary>Custom metrics, optionally with rate or in-flight.</summary>
    CustomMetrics,

    /// <summary>The endpoint's own utilization.</summary>
    Utilization,
}

/// <summary><c>trafficDuration</c>.</summary>
public enum TrafficDuration
{
    /// <summary>Most requests end within a second.</summary>
    Short,

    /// <summary>Most requests take longer than a second.</summary>
    Long,
}
