using Mesh.Core.Config;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A balancing mode goes with its own capacity field.</summary>
internal sealed class ModeAndCapacity : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<GcpBackendPolicy>())
        {
            // Where the unit is split over default and scopes the whole policy is rejected; its parts tell nothing more.
            var isSplit = policy.Default.Unit.Any() && policy.Scopes.Any(s => s.Fields.Unit.Any());
            foreach (var unit in policy.Scopes.Select(s => s.Fields).Prepend(policy.Default).Where(f => f.Unit.Any()))
            {
                if (unit.Mode is { Value: BalancingMode.Utilization } mode)
                    report.Warning(
                        mode.At, DiagnosticCodes.UtilizationMode,
                        "The vendor has UTILIZATION for groups of virtual machines only; the mesh measures the endpoints' own utilization");
                if (!isSplit) Check(unit, report);
            }
        }
    }

    private static void Check(BackendFields unit, DiagnosticBag report)
    {
        if (CapacityUnit.Mode(unit) is not { } mode)
        {
            if (unit.Unit.Skip(1).FirstOrDefault() is { Name: not null } second)
                report.Error(
                    second.At, DiagnosticCodes.ModeAmbiguous,
                    $"{unit.Unit.First().Name} and {second.Name} belong to different modes, and no balancingMode says which holds",
                    "write balancingMode");
            return;
        }

        var word = CapacityUnit.Word(mode);
        foreach (var (name, at) in unit.Unit.Where(f => f.Name != "balancingMode" && !Belongs(f.Name, mode)))
            report.Error(
                at, DiagnosticCodes.CapacityModeMismatch, $"{name} does not belong to balancingMode {word}", $"{word} takes {Field(mode)}");
        if (mode == BalancingMode.CustomMetrics)
        {
            CheckMetrics(unit, report);
            return;
        }

        if (mode != BalancingMode.Utilization && unit.Unit.All(f => f.Name != Field(mode)))
            report.Warning(
                unit.Mode!.At, DiagnosticCodes.CapacityMissing,
                $"balancingMode {word} has no {Field(mode)}: the backends have no target and are never full", $"write {Field(mode)}");
    }

    private static void CheckMetrics(BackendFields unit, DiagnosticBag report)
    {
        var metrics = unit.CustomMetrics?.Value ?? [];
        if (unit is { MaxRatePerEndpoint: not null, MaxInFlightPerEndpoint: { } flight })
            report.Error(
                flight.At, DiagnosticCodes.CapacityModeMismatch,
                "CUSTOM_METRICS takes maxRatePerEndpoint or maxInFlightPerEndpoint beside its metrics, not both", "keep one of them");
        if (metrics.IsEmpty && unit.CustomMetrics is null)
            report.Error(
                unit.Mode!.At, DiagnosticCodes.CapacityMissing, "balancingMode CUSTOM_METRICS needs customMetrics",
                $"name one, for example {CustomMetric.Prefix}kv-cache");
        else if (!metrics.IsEmpty && metrics.All(m => m.DryRun) && unit.MaxRatePerEndpoint is null && unit.MaxInFlightPerEndpoint is null)
            report.Warning(
                unit.CustomMetrics!.At, DiagnosticCodes.CapacityMissing,
                "All custom metrics are dry runs: the backends have no target and are never full");
    }

    private static bool Belongs(string field, BalancingMode mode) => field == Field(mode)
        || (mode == BalancingMode.CustomMetrics && (field is "maxRatePerEndpoint" or "maxInFlightPerEndpoint"));

    private static string Field(BalancingMode mode) => mode switch
    {
        BalancingMode.Rate => "maxRatePerEndpoint",
        BalancingMode.InFlight => "maxInFlightPerEndpoint",
        BalancingMode.CustomMetrics => "customMetrics",
        _ => "maxUtilization",
    };
}
