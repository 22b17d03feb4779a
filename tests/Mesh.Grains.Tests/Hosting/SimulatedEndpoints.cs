using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Simulation.Server;

namespace Mesh.Grains.Tests;

/// <summary>Simulated model servers on ports of their own, and configurations that name them.</summary>
internal sealed class SimulatedEndpoints : IAsyncDisposable
{
    public static readonly PoolId PoolId = new("default", "pool");
    private readonly List<SimulatedVllmServer> _servers = [];

    public IReadOnlyList<EndpointId> Ids => [.. _servers.Select(s => new EndpointId(s.Address)).Order()];

    public IReadOnlyList<SimulatedVllmServer> Servers => _servers;

    public static async Task<SimulatedEndpoints> StartAsync(int count)
    {
        var endpoints = new SimulatedEndpoints();
        for (var i = 0; i < count; i++) endpoints._servers.Add(await SimulatedVllmServer.StartAsync(new SimulatedVllmOptions(), CancellationToken.None));
        return endpoints;
    }

    /// <summary>One pool of all of them; at most so many requests each, where that is asked for.</summary>
    public MeshConfig Config(int? inFlight = null, FlowControlSettings? flow = null, long version = 1) => new()
    {
        Version = version,
        Clusters = [new ClusterConfig { Name = "gke-west", Region = "west", Zone = "a" }],
        Pools =
        [
            new PoolConfig
            {
                Id = PoolId,
                FlowControl = flow ?? new FlowControlSettings { WhenFull = WhenFull.Queue },
                HealthCheck = new HealthCheckConfig { Interval = TimeSpan.FromSeconds(1), Timeout = TimeSpan.FromSeconds(1) },
                Backends =
                [
                    new BackendConfig
                    {
                        Id = new BackendId("gke-west", "a", 8000),
                        Region = "west",
                        Settings = inFlight is { } limit
                            ? new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = limit } : new BackendSettings(),
                        Endpoints = [.. Ids.Select(e => new EndpointConfig { Id = e, PodName = $"pod-{e.Address}" })],
                    },
                ],
            },
        ],
    };

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers) await server.KillAsync();
    }
}
