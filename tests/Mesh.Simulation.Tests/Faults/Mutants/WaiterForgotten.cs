using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>The decision on a waiting request in ten is lost.</summary>
internal sealed class WaiterForgotten(ICorePool core) : BrokenCore(core)
{
    private int _decisions;

    public override bool TryTakeDecided(out long ticket, out RouteDecision decision)
    {
        while (base.TryTakeDecided(out ticket, out decision))
        {
            if (++_decisions % 10 != 0) return true;
        }

        return false;
    }
}
