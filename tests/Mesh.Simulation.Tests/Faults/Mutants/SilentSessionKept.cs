using Mesh.Core.Leases;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>A session that has fallen silent counts as alive for ever.</summary>
internal sealed class SilentSessionKept(ICorePool core) : BrokenCore(core)
{
    private readonly List<GatewaySession> _seen = [];

    public override bool Heartbeat(GatewaySession session)
    {
        if (!_seen.Contains(session)) _seen.Add(session);
        return base.Heartbeat(session);
    }

    public override TimeSpan? Tick()
    {
        foreach (var session in _seen) base.Heartbeat(session);
        return base.Tick();
    }
}
