using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>The decision on a waiting request in ten is given twice.</summary>
internal sealed class WaiterAnsweredTwice(ICorePool core) : BrokenCore(core)
{
    private int _decisions;
    private (long Ticket, RouteDecision Decision)? _again;

    public override bool TryTakeDecided(out long ticket, out RouteDecision decision)
    {
        if (_again is { } again)
        {
            _again = null;
            (ticket, decision) = again;
            return true;
        }

        if (!base.TryTakeDecided(out ticket, out decision)) return false;
        if (++_decisions % 10 == 0) _again = (ticket, decision);
        return true;
    }
}
