using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A completion that arrives a second time ends another lease.</summary>
internal sealed class CompletedTwiceCountsTwice(ICorePool core) : BrokenCore(core)
{
    private readonly HashSet<LeaseId> _ended = [];
    private readonly List<LeaseId> _open = [];

    public override RouteDecision Route(in RouteRequest request)
    {
        var decision = base.Route(in request);
        if (decision.Kind == RouteKind.Send) _open.Add(decision.Lease);
        return decision;
    }

    public override bool Complete(LeaseId lease, in RequestOutcome outcome)
    {
        _open.Remove(lease);
        if (_ended.Add(lease) || _open.Count == 0) return base.Complete(lease, in outcome);
        var other = _open[^1];
        _open.RemoveAt(_open.Count - 1);
        base.Complete(other, in outcome);
        return false;
    }
}
