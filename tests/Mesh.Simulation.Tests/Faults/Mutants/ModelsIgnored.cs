using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>What endpoints list is not heard of.</summary>
internal sealed class ModelsIgnored(ICorePool core) : BrokenCore(core)
{
    public override void ApplyModels(EndpointId endpoint, ImmutableArray<string> models)
    {
    }
}
