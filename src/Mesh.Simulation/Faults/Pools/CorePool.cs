using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Simulation.Faults.Pools;

/// <summary>The production core, call by call.</summary>
internal sealed class CorePool(PoolState state) : ICorePool
{
    public bool NeedsTickSooner => state.NeedsTickSooner;

    /// <summary>Makes one.</summary>
    public static ICorePool Create(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options) =>
        new CorePool(new PoolState(config, time, seed, options));

    public RouteDecision Route(in RouteRequest request) => state.Route(in request);

    public bool TryTakeDecided(out long ticket, out RouteDecision decision) => state.TryTakeDecided(out ticket, out decision);

    public bool CancelWait(long ticket) => state.CancelWait(ticket);

    public void ReportFirstByte(LeaseId lease) => state.ReportFirstByte(lease);

    public bool Complete(LeaseId lease, in RequestOutcome outcome) => state.Complete(lease, in outcome);

    public void Apply(EndpointSample sample) => state.Apply(sample);

    public void Apply(ProbeResult probe) => state.Apply(probe);

    public void ApplyModels(EndpointId endpoint, ImmutableArray<string> models) => state.ApplyModels(endpoint, models);

    public void Reconfigure(PoolConfig config) => state.Reconfigure(config);

    public bool Heartbeat(GatewaySession session) => state.Heartbeat(session);

    public int Announce(GatewaySession session, HeldLease[] held) => state.Announce(session, held);

    public TimeSpan? Tick() => state.Tick();

    public PoolSnapshot Snapshot() => state.Snapshot();
}
