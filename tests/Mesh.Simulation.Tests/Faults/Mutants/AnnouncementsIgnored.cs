using Mesh.Core.Leases;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Leases of an earlier epoch, or of a session that was silent, are not taken over.</summary>
internal sealed class AnnouncementsIgnored(ICorePool core) : BrokenCore(core)
{
    public override int Announce(GatewaySession session, HeldLease[] held) => base.Announce(session, []);
}
