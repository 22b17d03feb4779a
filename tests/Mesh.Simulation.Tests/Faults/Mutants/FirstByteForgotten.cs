using Mesh.Core.Leases;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A first byte in ten is not noted: its prompt seems to be computed still.</summary>
internal sealed class FirstByteForgotten(ICorePool core) : BrokenCore(core)
{
    private int _firstBytes;

    public override void ReportFirstByte(LeaseId lease)
    {
        if (++_firstBytes % 10 != 0) base.ReportFirstByte(lease);
    }
}
