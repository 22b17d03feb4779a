using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A completion in twenty ends the lease that was handed out before it.</summary>
internal sealed class AnotherLeaseEnds(ICorePool core) : BrokenCore(core)
{
    private int _ends;
    private LeaseId _last;

    public override RouteDecision Route(in RouteRequest request)
    {
        var decision = base.Route(in request);
        if (decision.Kind == RouteKind.Send) _last = decision.Lease;
        return decision;
    }

    public override bool Complete(LeaseId lease, in RequestOutcome outcome) => base.Complete(++_ends % 20 == 0 ? _last : lease, in outcome);
}
