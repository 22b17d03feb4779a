using Mesh.Core.Config;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>RATE needs SHORT and IN_FLIGHT needs LONG; CUSTOM_METRICS takes either, or what its rate or in-flight target needs.</summary>
internal sealed class TrafficDurations : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<GcpBackendPolicy>())
        {
            if (policy.TrafficDuration is not { } duration) continue;
            var conflict = policy.Scopes.Select(s => s.Fields).Prepend(policy.Default)
                .FirstOrDefault(f => CapacityUnit.NeededDuration(f) is { } needed && needed != duration.Value);
            if (conflict is null) continue;
            var needed = CapacityUnit.NeededDuration(conflict) == TrafficDuration.Long ? "LONG" : "SHORT";
            var mode = CapacityUnit.Word(CapacityUnit.Mode(conflict)!.Value);
            var field = mode == "CUSTOM_METRICS"
                ? $"{mode} with {(needed == "LONG" ? "maxInFlightPerEndpoint" : "maxRatePerEndpoint")}"
                : mode;
            report.Error(
                duration.At, DiagnosticCodes.TrafficDurationMismatch,
                $"{field} (line {conflict.Unit.First().At.Line}) needs trafficDuration {needed}", $"write {needed}, or leave it out");
        }
    }
}
