using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Tests.Faults.Mutants;

/// <summary>The production core, of which a subclass breaks one thing.</summary>
internal abstract class BrokenCore(ICorePool core) : ICorePool
{
    public virtual bool NeedsTickSooner => core.NeedsTickSooner;

    public virtual RouteDecision Route(in RouteRequest request) => core.Route(in request);

    public virtual bool TryTakeDecided(out long ticket, out RouteDecision decision) => core.TryTakeDecided(out ticket, out decision);

    public virtual bool CancelWait(long ticket) => core.CancelWait(ticket);

    public virtual void ReportFirstByte(LeaseId lease) => core.ReportFirstByte(lease);

    public virtual bool Complete(LeaseId lease, in RequestOutcome outcome) => core.Complete(lease, in outcome);

    public virtual void Apply(EndpointSample sample) => core.Apply(sample);

    public virtual void Apply(ProbeResult probe) => core.Apply(probe);

    public virtual void ApplyModels(EndpointId endpoint, ImmutableArray<string> models) => core.ApplyModels(endpoint, models);

    public virtual void Reconfigure(PoolConfig config) => core.Reconfigure(config);

    public virtual bool Heartbeat(GatewaySession session) => core.Heartbeat(session);

    public virtual int Announce(GatewaySession session, HeldLease[] held) => core.Announce(session, held);

    public virtual TimeSpan? Tick() => core.Tick();

    public virtual PoolSnapshot Snapshot() => core.Snapshot();
}
