using Mesh.Core.Config;

namespace Mesh.Core.Regions.Reports;

/// <summary>A region's backends of one preference, taken together. Load and capacity are requests per second or requests in flight, as the policy has it.</summary>
/// <param name="Preference">Which backends.</param>
/// <param name="Endpoints">Their endpoints.</param>
/// <param name="Healthy">Those of them that are healthy and not ejected, in backends that take requests.</param>
public sealed record TierReport(BackendPreference Preference, int Endpoints, int Healthy)
{
    /// <summary>N·X·s, summed; null where no policy sets a target that is counted in requests.</summary>
    public double? TargetCapacity { get; init; }

    /// <summary>True when target and load are requests per second; false when they are requests in flight.</summary>
    public bool IsRate { get; init; }

    /// <summary>Load in the unit of the target; requests in flight without one.</summary>
    public double Load { get; init; }

    /// <summary>Fullness of the fullest kind: 1 is at target; null without a target, or while nothing is known.</summary>
    public double? Fullness { get; init; }

    /// <summary>Requests that could be taken until the next report, over all peers.</summary>
    public double Spare { get; init; }

    /// <summary>What of it the receiver may send: never more than <see cref="Spare"/> over all receivers together. See <see cref="PoolReport.Received"/>.</summary>
    public double Grant { get; init; }
}
