using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A policy's target is a pool that exists. A policy without one is kept, as its target may come later.</summary>
internal sealed class PolicyTargets : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var (policy, target) in PolicyAttachments.Targets(world))
        {
            if (PolicyAttachments.PoolOf(policy, target) is not { } pool)
            {
                report.Error(
                    target.At, DiagnosticCodes.TargetKind, $"A {policy.Kind.Name} cannot be attached to a {target.Kind} of group \"{target.Group}\"",
                    $"write group: {GcpInferencePoolImport.Group} and kind: {GcpInferencePoolImport.KindName}");
            }
            else if (world.FindPool(pool) is null)
            {
                var names = world.Pools.Where(p => p.LocalToCluster is null && p.Id.Namespace == policy.Namespace).Select(p => p.Id.Name);
                report.Warning(
                    target.At, DiagnosticCodes.TargetUnresolved, $"There is no {target.Kind} {policy.Namespace}/{target.Name} for {policy.Kind.Name} {policy.FullName} to attach to",
                    NearestName.Of(target.Name, names) is { } nearest ? $"did you mean {nearest}?" : null);
            }
        }
    }
}
