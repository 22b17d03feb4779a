using Mesh.Core.Health;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Probes that fail say nothing.</summary>
internal sealed class FailedProbesIgnored(ICorePool core) : BrokenCore(core)
{
    public override void Apply(ProbeResult probe)
    {
        if (probe.Success) base.Apply(probe);
    }
}
