using Mesh.Core.Config;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A configuration's targets are taken for twice what they are.</summary>
internal sealed class LimitDoubled(ICorePool core) : BrokenCore(core)
{
    public override void Reconfigure(PoolConfig config) => base.Reconfigure(config with
    {
        Backends = [.. config.Backends.Select(b => b with { Settings = b.Settings with { MaxInFlightPerEndpoint = b.Settings.MaxInFlightPerEndpoint * 2 } })],
    });
}
