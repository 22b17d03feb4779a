using Mesh.Core.Config;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A configuration's rates are taken for twice what they are.</summary>
internal sealed class RateDoubled(ICorePool core) : BrokenCore(core)
{
    public override void Reconfigure(PoolConfig config) => base.Reconfigure(config with
    {
        Backends = [.. config.Backends.Select(b => b with { Settings = b.Settings with { MaxRatePerEndpoint = b.Settings.MaxRatePerEndpoint * 2 } })],
    });
}
