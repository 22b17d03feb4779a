using Mesh.Core.Config;
using Mesh.Resources.Types;

namespace Mesh.Resources.Compiling;

/// <summary>What follows from a mode-and-capacity unit.</summary>
internal static class CapacityUnit
{
    /// <summary>The mode that is set, else the one that the capacity fields imply; null where neither says one.</summary>
    public static BalancingMode? Mode(BackendFields unit)
    {
        if (unit.Mode is not null) return unit.Mode.Value;
        if (unit.CustomMetrics is { Value.IsEmpty: false }) return BalancingMode.CustomMetrics;
        return (unit.MaxRatePerEndpoint, unit.MaxInFlightPerEndpoint, unit.MaxUtilization) switch
        {
            ({ }, null, null) => BalancingMode.Rate,
            (null, { }, null) => BalancingMode.InFlight,
            (null, null, { }) => BalancingMode.Utilization,
            _ => null,
        };
    }

    /// <summary>The duration that the unit needs: SHORT to count requests per second, LONG to count those in flight; null for either.</summary>
    public static TrafficDuration? NeededDuration(BackendFields unit) => Mode(unit) switch
    {
        BalancingMode.Rate => TrafficDuration.Short,
        BalancingMode.InFlight => TrafficDuration.Long,
        BalancingMode.CustomMetrics when unit.MaxInFlightPerEndpoint is not null => TrafficDuration.Long,
        BalancingMode.CustomMetrics when unit.MaxRatePerEndpoint is not null => TrafficDuration.Short,
        _ => null,
    };

    /// <summary>The word of the manifests for a mode.</summary>
    public static string Word(BalancingMode mode) => mode switch
    {
        BalancingMode.Rate => "RATE",
        BalancingMode.InFlight => "IN_FLIGHT",
        BalancingMode.CustomMetrics => "CUSTOM_METRICS",
        _ => "UTILIZATION",
    };
}
