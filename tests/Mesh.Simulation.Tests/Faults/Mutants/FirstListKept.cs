using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>What an endpoint listed first is what it lists for ever.</summary>
internal sealed class FirstListKept(ICorePool core) : BrokenCore(core)
{
    private readonly HashSet<EndpointId> _told = [];

    public override void ApplyModels(EndpointId endpoint, ImmutableArray<string> models)
    {
        if (_told.Add(endpoint)) base.ApplyModels(endpoint, models);
    }
}
