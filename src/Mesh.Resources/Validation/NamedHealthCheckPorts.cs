using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A port that a HealthCheckPolicy names has one number on the pods of its pool.</summary>
internal sealed class NamedHealthCheckPorts : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var policy in world.Effective<HealthCheckPolicy>())
        {
            if (policy.PortName is not { } name || policy.Target is null) continue;
            if (PolicyAttachments.PoolOf(policy.Header, policy.Target) is not { } id || world.FindPool(id) is not { Backends.IsEmpty: false } pool)
                continue;
            var numbers = NamedPort.Numbers(pool, name.Value);
            if (numbers.Count == 0)
                report.Error(
                    name.At, DiagnosticCodes.PortNameUnresolved, $"No pod of {pool.Id} has a container port named {name.Value}",
                    "name the port in the pods, or use USE_SERVING_PORT");
            else if (numbers.Count > 1)
                report.Error(
                    name.At, DiagnosticCodes.PortNameUnresolved,
                    $"Port {name.Value} has different numbers on the pods of {pool.Id}: {string.Join(", ", numbers)}",
                    "use USE_SERVING_PORT");
        }
    }
}
