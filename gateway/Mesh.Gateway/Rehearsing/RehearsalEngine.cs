using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using IRouter = Mesh.Core.Routing.IRouter;

namespace Mesh.Gateway.Rehearsing;

/// <summary>An engine with one pool, whose only endpoint always takes requests; it probes nothing, and nobody counts what it does.</summary>
internal sealed class RehearsalEngine : IMeshEngine, IRouter
{
    /// <summary>Port of the listener in the configuration.</summary>
    public const string ListenerPort = "80";

    /// <summary>Model that is asked for.</summary>
    public const string Model = "rehearsal";

    private static readonly PoolId Pool = new(Model, Model);
    private readonly Lock _gate = new();
    private readonly PoolState _state;

    public RehearsalEngine(MeshConfig config, TimeProvider time)
    {
        _state = new PoolState(config.Pools[0], time, 1);
        foreach (var endpoint in config.Pools[0].Backends[0].Endpoints) _state.ApplyHealth(endpoint.Id, EndpointHealth.Healthy);
    }

    public IRouter Router => this;

    public GatewaySession Session { get; } = new(Model, 1);

    /// <summary>One listener, one route that takes everything, one pool.</summary>
    public static MeshConfig Config(EndpointId endpoint) => new()
    {
        Version = 1,
        Clusters = [new ClusterConfig { Name = Model, Region = Model, Zone = Model }],
        Gateways = [new GatewayConfig { Namespace = Model, Name = Model, Listeners = [new ListenerConfig(Model, ListenerProtocol.Http, 80, null)] }],
        Routes =
        [
            new HttpRouteConfig
            {
                Namespace = Model,
                Name = Model,
                Parents = [new ParentRefConfig(Model, Model, null, null)],
                Rules = [new HttpRouteRule { BackendRefs = [new BackendRefConfig(Pool)] }],
            },
        ],
        Pools =
        [
            new PoolConfig
            {
                Id = Pool,
                Backends = [new BackendConfig { Id = new BackendId(Model, Model, 1), Region = Model, Endpoints = [new EndpointConfig { Id = endpoint, PodName = Model }] }],
            },
        ],
    };

    public void Reconfigure(MeshConfig config)
    {
        // It is begun with the only one that there is.
    }

    public ImmutableArray<PoolSnapshot> Snapshot()
    {
        lock (_gate) return [_state.Snapshot()];
    }

    public ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken)
    {
        lock (_gate) return new ValueTask<RouteDecision>(_state.Route(in request));
    }

    public void ReportFirstByte(PoolId pool, LeaseId lease)
    {
        lock (_gate) _state.ReportFirstByte(lease);
    }

    public void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome)
    {
        lock (_gate) _state.Complete(lease, in outcome);
    }

    public ValueTask DisposeAsync() => default;
}
