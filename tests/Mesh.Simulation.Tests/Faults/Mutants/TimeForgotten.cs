using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Time is not looked at: nothing lapses, nobody's wait ends.</summary>
internal sealed class TimeForgotten(ICorePool core) : BrokenCore(core)
{
    public override TimeSpan? Tick() => null;
}
