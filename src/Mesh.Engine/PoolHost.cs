using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine.Monitoring;

namespace Mesh.Engine;

/// <summary>One pool's state behind one lock, and the monitors that feed it. Thread-safe, but for <see cref="Reconfigure"/>, whose calls the engine serializes.</summary>
internal sealed class PoolHost(PoolState state) : IEndpointObserver
{
    private readonly Lock _gate = new();
    private volatile FrozenDictionary<EndpointId, EndpointMonitor> _monitors = FrozenDictionary<EndpointId, EndpointMonitor>.Empty;

    /// <summary>Monitors of the endpoints that the configuration names.</summary>
    public FrozenDictionary<EndpointId, EndpointMonitor> Monitors => _monitors;

    public RouteDecision Route(in RouteRequest request)
    {
        lock (_gate) return state.Route(in request);
    }

    public void ReportFirstByte(LeaseId lease)
    {
        lock (_gate) state.ReportFirstByte(lease);
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        bool ended;
        EndpointId endpoint;
        lock (_gate) ended = state.Complete(lease, in outcome, out endpoint);

        // A dead endpoint should leave with the first request that it fails, not with the second probe after that.
        if (ended && outcome.Kind is OutcomeKind.ConnectFailure or OutcomeKind.StreamBroken && _monitors.TryGetValue(endpoint, out var monitor))
            monitor.Suspect();
    }

    /// <summary>Takes a new configuration and the monitors that go with it.</summary>
    public void Reconfigure(PoolConfig config, FrozenDictionary<EndpointId, EndpointMonitor> monitors)
    {
        lock (_gate) state.Reconfigure(config);
        _monitors = monitors;
    }

    /// <summary>Keeps a session alive and takes back what silent ones held; returns when that makes sense again.</summary>
    public TimeSpan? Keep(GatewaySession session)
    {
        lock (_gate)
        {
            state.Heartbeat(session);
            return state.Tick();
        }
    }

    public PoolSnapshot Snapshot()
    {
        lock (_gate) return state.Snapshot();
    }

    public HealthTransition Probed(ProbeResult result)
    {
        lock (_gate) return state.Apply(result);
    }

    public void Sampled(EndpointSample sample)
    {
        lock (_gate) state.Apply(sample);
    }

    public void Listed(EndpointId endpoint, ImmutableArray<string> models)
    {
        lock (_gate) state.ApplyModels(endpoint, models);
    }
}
