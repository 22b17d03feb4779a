using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A lease in twenty is not given back when its request ends.</summary>
internal sealed class LeaseNotReturned(ICorePool core) : BrokenCore(core)
{
    private int _ends;

    public override bool Complete(LeaseId lease, in RequestOutcome outcome) => ++_ends % 20 == 0 || base.Complete(lease, in outcome);
}
