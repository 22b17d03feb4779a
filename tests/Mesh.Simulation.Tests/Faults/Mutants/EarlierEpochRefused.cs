using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A lease of an earlier epoch cannot be given back, though it was announced.</summary>
internal sealed class EarlierEpochRefused(ICorePool core) : BrokenCore(core)
{
    private long _epoch;

    public override RouteDecision Route(in RouteRequest request)
    {
        var decision = base.Route(in request);
        if (decision.Kind == RouteKind.Send) _epoch = decision.Lease.Epoch;
        return decision;
    }

    public override bool Complete(LeaseId lease, in RequestOutcome outcome) => lease.Epoch >= _epoch && base.Complete(lease, in outcome);
}
