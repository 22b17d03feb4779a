using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A client that leaves keeps its place in the queue.</summary>
internal sealed class CancelForgotten(ICorePool core) : BrokenCore(core)
{
    public override bool CancelWait(long ticket) => true;
}
