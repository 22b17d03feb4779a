using System.Collections.Immutable;
using System.Net;
using System.Reflection;
using System.Text;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation.Forwarding;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Mesh.Gateway.Federation;

/// <summary>
/// This gateway among its peers: the exchange of reports, the clients by which requests are forwarded, and the listener at which peers are
/// answered and nobody else.
/// </summary>
internal sealed partial class FederationService : IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly FederationCredentials _credentials;
    private readonly IPEndPoint _address;
    private readonly FederationMetrics _metrics;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _log;
    private readonly RefusalLog _refusals;
    private WebApplication? _app;

    private FederationService(GatewayOptions options, ImmutableArray<ClusterConfig> clusters, IRegionEngine engine, GatewayMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _metrics = metrics.Federation;
        _loggers = loggers;
        _refusals = new RefusalLog(time);
        _log = loggers.CreateLogger<FederationService>();
        var version = typeof(FederationService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        var settings = FederationPlan.Settings(options, version, clusters);
        _address = FederationPlan.Listener(options);
        _credentials = new FederationCredentials(options, settings.ConnectTimeout);
        if (!Loopback.Is(_address.Address) && !_credentials.IsTls) ClearText(_log, _address);
        Hub = new FederationHub(settings, engine, _credentials.Connect, time, loggers);
        Clients = new PeerClients(Hub, _credentials, options.IdleTimeout);
    }

    /// <summary>The exchange.</summary>
    public FederationHub Hub { get; }

    /// <summary>Clients towards peers.</summary>
    public PeerClients Clients { get; }

    /// <summary>Which two clusters claim to be the config cluster, in words; null when there is one.</summary>
    public string? ConfigConflict { get; set; }

    /// <summary>Whether two clusters claim to be the config cluster.</summary>
    public bool HasConfigConflict => ConfigConflict is not null;

    /// <summary>What peers may ask for as the configuration; set by whoever keeps it, before the start.</summary>
    public Func<HttpContext, Task>? ConfigPage { get; set; }

    /// <summary>The service of a gateway's options; null when they name neither peers nor an address for them.</summary>
    /// <param name="options">Options.</param>
    /// <param name="engine">Engine.</param>
    /// <param name="metrics">Where forwarded requests are counted.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <param name="clusters">The fleet, whose profiles may say where gateways are.</param>
    /// <exception cref="GatewayConfigurationException">An option is missing or wrong, or the engine knows no regions.</exception>
    public static FederationService? Create(
        GatewayOptions options, object engine, GatewayMetrics metrics, TimeProvider time, ILoggerFactory loggers, ImmutableArray<ClusterConfig> clusters = default)
    {
        if (!FederationPlan.IsWanted(options)) return null;
        if (engine is not IRegionEngine regions) throw new GatewayConfigurationException("Mesh:Peers need an engine that knows regions; this one does not.");
        return new FederationService(options, clusters, regions, metrics, time, loggers);
    }

    /// <summary>Opens the listener and begins the exchange.</summary>
    /// <param name="place">Places what peers forward, and answers it.</param>
    /// <exception cref="GatewayConfigurationException">The address cannot be opened.</exception>
    public async Task StartAsync(Func<HttpContext, ForwardedRequest, Task> place)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Mesh.Gateway.Federation" });
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(Configure).UseSockets(sockets =>
        {
            // A report is a few bytes ten times a second: what it costs are the hand-overs between threads.
            sockets.UnsafePreferInlineScheduling = true;
            sockets.CreateBoundListenSocket = PeerDialer.Listen;
        });
        builder.Services.AddSingleton(_loggers);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = _options.DrainTimeout);
        _app = builder.Build();
        _app.Run(context => HandleAsync(context, place));
        try
        {
            await _app.StartAsync();
        }
        catch (IOException e)
        {
            throw new GatewayConfigurationException($"Mesh:Federation:Listen: {e.Message}", e);
        }

        Hub.Start();
        Listening(_log, _address, Hub.Self.Name, string.Join(", ", Hub.Addresses.Select(p => p.Name)));
    }

    /// <summary>Goes on with the peers that a new configuration names; links to those that stay are not touched.</summary>
    /// <param name="clusters">The fleet.</param>
    /// <exception cref="GatewayConfigurationException">An address is of no use, or two peers are named alike; the peers stay as they are.</exception>
    public void Follow(ImmutableArray<ClusterConfig> clusters)
    {
        try
        {
            Hub.SetPeers(FederationPlan.Peers(_options, clusters));
        }
        catch (ArgumentException e)
        {
            throw new GatewayConfigurationException($"Peers: {e.Message}", e);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // First the reports: peers send nothing any more to a region whose stream has ended.
        await Hub.DisposeAsync();
        if (_app is not null)
        {
            await _app.StopAsync();
            await _app.DisposeAsync();
        }

        Clients.Dispose();
    }

    private void Configure(KestrelServerOptions server)
    {
        server.AddServerHeader = false;
        server.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        server.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
        server.Limits.MaxRequestBodySize = _options.MaxBodyBytes;
        server.Limits.MinRequestBodyDataRate = null;
        server.Limits.MinResponseDataRate = null;
        server.Limits.Http2.MaxStreamsPerConnection = 4096;
        // A peer that is cut off must not keep what it holds here.
        server.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(1);
        server.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(3);
        server.Listen(_address, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            if (_credentials.IsTls) listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(_credentials.ServerTls()) });
        });
    }

    private async Task HandleAsync(HttpContext context, Func<HttpContext, ForwardedRequest, Task> place)
    {
        var peer = PeerIdentity.Read(name => context.Request.Headers[name] is [{ } value] ? value : null);
        var objection = Hub.Objection(peer) is { } who ? (StatusCodes.Status409Conflict, who)
            : _credentials.Objection(context, peer!.Name) is { } credential ? (StatusCodes.Status401Unauthorized, credential)
            : default((int Status, string Reason)?);
        if (objection is { } no)
        {
            if (_refusals.IsNew(peer?.Name ?? context.Connection.RemoteIpAddress?.ToString() ?? "", no.Reason)) Refused(_log, context.Connection.RemoteIpAddress, no.Reason);
            context.Response.StatusCode = no.Status;
            await context.Response.WriteAsync($"Gateway '{Hub.Self.Name}' does not take this one for a peer: it {no.Reason}.");
            return;
        }

        foreach (var (name, value) in Hub.Self.Headers()) context.Response.Headers[name] = value;
        switch (context.Request.Path.Value)
        {
            case FederationPaths.Reports when HttpMethods.IsGet(context.Request.Method):
                _refusals.Forget(peer!.Name);
                context.Response.ContentType = "text/event-stream";
                context.Response.Headers.CacheControl = "no-store";
                await Hub.PublishAsync(peer!, context.Response.BodyWriter, context.RequestAborted);
                break;
            case FederationPaths.Config when HttpMethods.IsGet(context.Request.Method) && ConfigPage is { } page:
                await page(context);
                break;
            case { } path when path.StartsWith("/federation/", StringComparison.Ordinal):
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                break;
            default:
                await ReceiveAsync(context, peer!, place);
                break;
        }
    }

    private async Task ReceiveAsync(HttpContext context, PeerIdentity peer, Func<HttpContext, ForwardedRequest, Task> place)
    {
        if (ForwardedRequest.Read(context.Request.Headers, peer) is not { } forwarded)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync("The headers of a forwarded request are missing or cannot be read.");
            return;
        }

        foreach (var name in PeerHeaders) context.Request.Headers.Remove(name);
        await place(context, forwarded);
        var isPlaced = context.Response.Headers.ContainsKey(ForwardedRequest.PlacedHeader);
        _metrics.Received.With(peer.Name, isPlaced ? "placed" : "refused").Increment();
    }

    // The secret stays here, whatever becomes of the request.
    private static readonly string[] PeerHeaders =
        [PeerIdentity.TokenHeader, PeerIdentity.NameHeader, PeerIdentity.RegionHeader, PeerIdentity.EpochHeader, PeerIdentity.ProtocolHeader, PeerIdentity.VersionHeader];

    [LoggerMessage(1, LogLevel.Information, "Peers are answered at {Address}; this gateway is '{Name}', its peers are {Peers}.")]
    private static partial void Listening(ILogger log, IPEndPoint address, string name, string peers);

    [LoggerMessage(2, LogLevel.Warning, "A gateway at {Address} was turned away: it {Reason}.")]
    private static partial void Refused(ILogger log, IPAddress? address, string reason);

    [LoggerMessage(3, LogLevel.Warning, "Peers are answered at {Address} in clear text: whoever can listen on the way reads prompts and the secret. Certificates (Mesh:Federation:Certificate) prevent that.")]
    private static partial void ClearText(ILogger log, IPEndPoint address);
}
