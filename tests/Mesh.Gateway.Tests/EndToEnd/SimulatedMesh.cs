using System.Net;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;
using Mesh.Simulation.Server;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>The whole mesh over real sockets: manifests that are watched, engine, gateway, and simulated endpoints that a test can kill.</summary>
internal sealed class SimulatedMesh : IAsyncDisposable
{
    private static readonly SimulatedModel[] Models =
        [new("meta-llama/Llama-3.1-8B-Instruct"), new("food-review-0", "meta-llama/Llama-3.1-8B-Instruct"), new("food-review-1", "meta-llama/Llama-3.1-8B-Instruct")];

    private readonly Dictionary<EndpointId, SimulatedVllmServer> _servers = [];
    private readonly ManifestFeed _feed;
    private readonly EmbeddedEngine _engine;

    private SimulatedMesh(ManifestCopy manifests, ManifestFeed feed, EmbeddedEngine engine, GatewayHost host, Uri uri, double speed)
    {
        Manifests = manifests;
        _feed = feed;
        _engine = engine;
        Host = host;
        Uri = uri;
        Speed = speed;
        Client = Clients.Create(uri);
    }

    public ManifestCopy Manifests { get; }

    public GatewayHost Host { get; }

    public Uri Uri { get; }

    public double Speed { get; }

    public HttpClient Client { get; }

    public IReadOnlyDictionary<EndpointId, SimulatedVllmServer> Servers => _servers;

    public IEnumerable<EndpointSnapshot> Endpoints => _engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints);

    public IEnumerable<BackendSnapshot> Backends => _engine.Snapshot().SelectMany(p => p.Backends);

    public static async Task<SimulatedMesh> StartAsync(double speed = 100, Action<ManifestCopy>? prepare = null, Action<GatewayOptions>? set = null)
    {
        var manifests = new ManifestCopy();
        prepare?.Invoke(manifests);
        var feed = new ManifestFeed(manifests.Path, TimeProvider.System, NullLoggerFactory.Instance);
        Assert.False(feed.First.HasErrors, string.Join('\n', feed.First.Diagnostics));
        var config = feed.First.Config!;
        var address = FreePorts.NextAddress();
        var options = new GatewayOptions { Listeners = { ["80"] = address.ToString() }, DrainTimeout = TimeSpan.Zero };
        set?.Invoke(options);
        var engine = new EmbeddedEngine(new EngineOptions(), TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(config);
        var host = await GatewayHost.StartAsync(options, config, engine, TimeProvider.System, NullLoggerFactory.Instance);
        var mesh = new SimulatedMesh(manifests, feed, engine, host, new Uri($"http://{address}"), speed);
        feed.Attach(host, null);
        foreach (var endpoint in Addressed(config)) await mesh.StartServerAsync(endpoint);
        await Eventually.TrueAsync(
            () => mesh.Endpoints.All(e => e.Health == EndpointHealth.Healthy && e.Models is { IsDefault: false, Length: 3 }), "every endpoint is healthy and lists its models", 8000);
        return mesh;
    }

    public async Task StartServerAsync(EndpointId endpoint)
    {
        var address = IPEndPoint.Parse(endpoint.Address);
        _servers[endpoint] = await SimulatedVllmServer.StartAsync(
            new SimulatedVllmOptions { Host = address.Address.ToString(), Port = address.Port, Models = Models, Speed = Speed }, CancellationToken.None);
    }

    public EndpointSnapshot Endpoint(EndpointId id) => Endpoints.Single(e => e.Id == id);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        _feed.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
        await _engine.DisposeAsync();
        foreach (var server in _servers.Values) await server.KillAsync();
        Manifests.Dispose();
    }

    private static IEnumerable<EndpointId> Addressed(MeshConfig config) =>
        config.Pools.SelectMany(p => p.Backends).SelectMany(b => b.Endpoints).Select(e => e.Id).Distinct().Order();
}
