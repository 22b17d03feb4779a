using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>
/// A field stands in <c>default</c> or in scopes, not in both. The balancing mode and its capacity fields count as one field: a mode at
/// default with a capacity in a scope would leave the other backends with a mode and no target.
/// </summary>
internal sealed class ScopeFields : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<GcpBackendPolicy>())
        {
            foreach (var scope in policy.Scopes)
            {
                foreach (var field in scope.Fields.Others)
                {
                    if (policy.Default.Others.FirstOrDefault(f => f.Name == field.Name) is { Name: not null } other)
                        report.Error(
                            field.At, DiagnosticCodes.ScopeFieldConflict,
                            $"{field.Name} stands in {scope.Title} and in default (line {other.At.Line}): the policy is rejected",
                            "set it in default or in scopes, not in both");
                }

                if (scope.Fields.Unit.FirstOrDefault() is not { Name: not null } part || policy.Default.Unit.FirstOrDefault() is not { Name: not null } unit)
                    continue;
                var (shown, otherShown) = Best(scope, policy);
                report.Error(
                    shown.At, DiagnosticCodes.ScopeFieldConflict,
                    shown.Name == otherShown.Name
                        ? $"{shown.Name} stands in {scope.Title} and in default (line {otherShown.At.Line}): the policy is rejected"
                        : $"{shown.Name} cannot be set in {scope.Title} while {otherShown.Name} is set in default (line {otherShown.At.Line}): the policy is rejected",
                    "the balancing mode and its capacity fields are one unit: set all of them in default, or all of them in scopes");
            }
        }
    }

    /// <summary>The pair of fields to name: the same field on both sides where there is one.</summary>
    private static ((string Name, Reading.Spot At) InScope, (string Name, Reading.Spot At) InDefault) Best(
        PolicyScope scope, GcpBackendPolicy policy)
    {
        foreach (var field in scope.Fields.Unit)
        {
            if (policy.Default.Unit.FirstOrDefault(f => f.Name == field.Name) is { Name: not null } same) return (field, same);
        }

        return (scope.Fields.Unit.First(), policy.Default.Unit.First());
    }
}
