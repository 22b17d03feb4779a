using Mesh.Core.Config;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A configuration adds endpoints and never takes one away.</summary>
internal sealed class RemovedEndpointKept(ICorePool core) : BrokenCore(core)
{
    private PoolConfig? _last;

    public override void Reconfigure(PoolConfig config)
    {
        var before = _last ?? config;
        _last = config with
        {
            Backends = [.. config.Backends.Zip(before.Backends, (now, then) => now with { Endpoints = [.. now.Endpoints.Union(then.Endpoints).DistinctBy(e => e.Id).OrderBy(e => e.Id)] })],
        };
        base.Reconfigure(_last);
    }
}
