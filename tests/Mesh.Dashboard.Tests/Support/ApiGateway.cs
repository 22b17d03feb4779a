using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Federation;
using Mesh.Gateway.Hosting;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>A gateway whose engine places nothing, for tests of the API alone.</summary>
internal sealed class ApiGateway : IAsyncDisposable
{
    private readonly IMeshEngine _engine;

    private ApiGateway(GatewayHost host, IMeshEngine engine, Uri admin)
    {
        Host = host;
        _engine = engine;
        Admin = admin;
        Client = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = admin, Timeout = TimeSpan.FromSeconds(30) };
    }

    public GatewayHost Host { get; }

    public Uri Admin { get; }

    public HttpClient Client { get; }

    public static async Task<ApiGateway> StartAsync(int endpoints, Action<GatewayOptions>? set = null, bool ownListener = true, ImmutableArray<PeerLinkSnapshot>? links = null,
        ImmutableArray<MachineSnapshot>? machines = null, ImmutableArray<PeerSnapshot>? peers = null)
    {
        var listener = FreePorts.NextEndPoint();
        var admin = ownListener ? FreePorts.NextEndPoint() : listener;
        var options = new GatewayOptions { DrainTimeout = TimeSpan.Zero, StateDirectory = "" };
        if (ownListener) options.AdminAddress = admin.ToString();
        options.Listeners["80"] = listener.ToString();
        set?.Invoke(options);
        var engine = new ManyEndpoints(endpoints) { Links = links ?? [], InSilos = machines ?? [], PoolPeers = peers ?? [] };
        MeshConfig config = engine.Config;
        var host = await GatewayHost.StartAsync(options, config, engine, TimeProvider.System, NullLoggerFactory.Instance);
        return new ApiGateway(host, engine, new Uri($"http://{admin}"));
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
        await _engine.DisposeAsync();
    }
}
