using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Requests that fail count as answered: nobody is ever ejected.</summary>
internal sealed class FailuresForgiven(ICorePool core) : BrokenCore(core)
{
    public override bool Complete(LeaseId lease, in RequestOutcome outcome) => base.Complete(lease, outcome with { Kind = OutcomeKind.Success });
}
