using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Requests are placed as if they named no model.</summary>
internal sealed class ModelOfRequestForgotten(ICorePool core) : BrokenCore(core)
{
    public override RouteDecision Route(in RouteRequest request)
    {
        var forgotten = request with { Model = null };
        return base.Route(in forgotten);
    }
}
