using Mesh.Core.Endpoints;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>An engine that sleeps counts as awake.</summary>
internal sealed class SleepIgnored(ICorePool core) : BrokenCore(core)
{
    public override void Apply(EndpointSample sample) => base.Apply(sample with { IsAsleep = false });
}
