using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>A request's time-out covers its wait too: a longer bound on the wait is never reached.</summary>
internal sealed class WaitsEndBeforeTimeouts : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var pool in world.Pools)
        {
            if (world.Attachments.Of<FlowControlPolicy>(pool.Id)?.MaxWaitSec is not { } wait) continue;
            var timeout = world.Attachments.Of<GcpBackendPolicy>(pool.Id)?.TimeoutSec;
            if (wait.Value <= (timeout?.Value ?? 30)) continue;
            var source = timeout is null ? "by default" : $"by {timeout.At}";
            report.Warning(
                wait.At, DiagnosticCodes.WaitAboveTimeout,
                $"{wait.At.Path} is {wait.Value}, but requests of {pool.Id} end after {timeout?.Value ?? 30} s {source}",
                "lower maxWaitSec, or raise timeoutSec in the pool's GCPBackendPolicy");
        }
    }
}
