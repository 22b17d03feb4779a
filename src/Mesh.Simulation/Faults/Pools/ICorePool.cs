using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Simulation.Faults.Pools;

/// <summary>
/// What a fault world asks of the production core: <see cref="PoolState"/>'s calls and no others. The seam at which a test puts a broken
/// variant in its place, to see that the invariants find it.
/// </summary>
internal interface ICorePool
{
    /// <inheritdoc cref="PoolState.NeedsTickSooner"/>
    bool NeedsTickSooner { get; }

    /// <inheritdoc cref="PoolState.Route"/>
    RouteDecision Route(in RouteRequest request);

    /// <inheritdoc cref="PoolState.TryTakeDecided"/>
    bool TryTakeDecided(out long ticket, out RouteDecision decision);

    /// <inheritdoc cref="PoolState.CancelWait"/>
    bool CancelWait(long ticket);

    /// <inheritdoc cref="PoolState.ReportFirstByte"/>
    void ReportFirstByte(LeaseId lease);

    /// <inheritdoc cref="PoolState.Complete(LeaseId, in RequestOutcome)"/>
    bool Complete(LeaseId lease, in RequestOutcome outcome);

    /// <inheritdoc cref="PoolState.Apply(EndpointSample)"/>
    void Apply(EndpointSample sample);

    /// <inheritdoc cref="PoolState.Apply(ProbeResult)"/>
    void Apply(ProbeResult probe);

    /// <inheritdoc cref="PoolState.ApplyModels"/>
    void ApplyModels(EndpointId endpoint, ImmutableArray<string> models);

    /// <inheritdoc cref="PoolState.Reconfigure"/>
    void Reconfigure(PoolConfig config);

    /// <inheritdoc cref="PoolState.Heartbeat"/>
    bool Heartbeat(GatewaySession session);

    /// <inheritdoc cref="PoolState.Announce"/>
    int Announce(GatewaySession session, HeldLease[] held);

    /// <inheritdoc cref="PoolState.Tick"/>
    TimeSpan? Tick();

    /// <inheritdoc cref="PoolState.Snapshot"/>
    PoolSnapshot Snapshot();
}

/// <summary>Makes the core of one pool process.</summary>
/// <param name="config">Its first configuration.</param>
/// <param name="time">The world's clock.</param>
/// <param name="seed">Seed of the pool.</param>
/// <param name="options">Epoch, time-outs and bounds.</param>
internal delegate ICorePool CorePoolFactory(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions options);
