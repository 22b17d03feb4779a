using Mesh.Core.Leases;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>Every announced lease is taken over under a second id, too.</summary>
internal sealed class AnnouncedTwice(ICorePool core) : BrokenCore(core)
{
    public override int Announce(GatewaySession session, HeldLease[] held)
    {
        base.Announce(session, [.. held.Select(h => h with { Lease = new LeaseId(-h.Lease.Epoch, h.Lease.Sequence) })]);
        return base.Announce(session, held);
    }
}
