using Mesh.Core.Leases;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Heartbeats do not count: only requests keep a session alive.</summary>
internal sealed class LostHeartbeats(ICorePool core) : BrokenCore(core)
{
    private readonly HashSet<GatewaySession> _seen = [];

    public override bool Heartbeat(GatewaySession session) => !_seen.Add(session) || base.Heartbeat(session);
}
