using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Validation;

/// <summary>Of several policies of one kind for one target the oldest holds.</summary>
internal sealed class OnePolicyPerTarget : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var (policy, target, winner) in world.Attachments.Losers)
        {
            report.Warning(
                target.At, DiagnosticCodes.PolicyConflict,
                $"{policy.Header.Kind.Name} {policy.Header.FullName} is not attached: {winner.Header.FullName} ({winner.Header.NameAt}) already holds for {target.Kind} {target.Name}",
                "the oldest policy of a target wins; merge the two");
        }
    }
}
