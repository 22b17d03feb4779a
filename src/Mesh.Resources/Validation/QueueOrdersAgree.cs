using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Types;

namespace Mesh.Resources.Validation;

/// <summary>The order of those who wait can stand in two places. The FlowControlPolicy's holds; another one in the SchedulingProfile is in vain.</summary>
internal sealed class QueueOrdersAgree : IRule
{
    public void Check(World world, DiagnosticBag report)
    {
        foreach (var pool in world.Pools)
        {
            if (world.Attachments.Of<FlowControlPolicy>(pool.Id)?.Order is not { } holds) continue;
            if (world.Attachments.Of<SchedulingProfile>(pool.Id)?.Order is not { } order || order.Value == holds.Value) continue;
            report.Warning(
                order.At, DiagnosticCodes.RuleUnused, $"{order.At.Path} is {order.Value}, but {holds.At} says {holds.Value} for {pool.Id}, which holds",
                "write the order in one of the two");
        }
    }
}
