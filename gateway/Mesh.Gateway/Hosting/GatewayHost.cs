using System.Collections.Immutable;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.HttpRouting;
using Mesh.Engine;
using Mesh.Gateway.Admin;
using Mesh.Gateway.Admin.History;
using Mesh.Gateway.Admin.Journal;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Dashboard;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Drains;
using Mesh.Gateway.ExternalMetrics;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Inference;
using Mesh.Gateway.Inference.Draining;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.Mirroring;
using Mesh.Gateway.Inference.StoredResponses;
using Mesh.Gateway.Keys;
using Mesh.Gateway.Limits;
using Mesh.Gateway.Metrics;
using Mesh.Gateway.Models;
using Mesh.Gateway.Telemetry;
using Mesh.Gateway.Telemetry.Tracing;
using Mesh.Gateway.Tls;
using Mesh.Gateway.Transport;
using Mesh.Gateway.Upstream;
using Mesh.Gateway.Upstream.Http1;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Gateway.Hosting;

/// <summary>
/// One gateway: the listeners of one region, the request path behind them, and an engine that it asks. The engine belongs to the caller.
/// </summary>
internal sealed partial class GatewayHost : IAsyncDisposable
{
    // Between the end that requests are given and the moment at which the server cuts them off without a word.
    private static readonly TimeSpan StopMargin = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly ListenerConfigurationSource _listeners;
    private readonly ActiveConfiguration _configuration;
    private readonly IUpstreamClient _upstream;
    private readonly UpstreamKeys _keys;
    private readonly GatewayOptions _options;
    private readonly Readiness _readiness;
    private readonly CancellationTokenSource _endRequests;
    private readonly GatewayMetrics _metrics = new();
    private readonly GatewayTracing _tracing = new();
    private readonly MeterBridge _meter;
    private readonly EngineMeterReader _engineMeter;
    private readonly AccessLogFile? _accessLogFile;
    private readonly ILogger _log;
    private readonly InferenceHandler _inference;
    private readonly ErrorReporter _errors;
    private readonly KeyGate _gate;
    private readonly DrainBook _drains;
    private readonly CertificateStore _certificates;
    private readonly ListenerTls _tls;
    private readonly MeshHistory _history;
    private readonly FederationService? _federation;

    private GatewayHost(
        GatewayOptions options, RoutingState state, IMeshEngine engine, UpstreamTls upstreamTls, TimeProvider time, ILoggerFactory loggers, bool isRehearsal)
    {
        // First of all: what keys say can stop the start.
        _errors = new ErrorReporter(_metrics);
        var admin = state.Bindings is [.., { IsAdmin: true } last] ? last.Address : null;
        _drains = new DrainBook(options.StateDirectory, loggers);
        _gate = new KeyGate(options.Keys, admin, _errors, time, loggers);
        _options = options;
        _certificates = new CertificateStore(options.Certificates, time, loggers);
        _tls = new ListenerTls(_certificates, options.Limits.HandshakeTimeout);
        _tls.Follow(state);
        _listeners = new ListenerConfigurationSource();
        _listeners.Set(state.Bindings);
        _log = loggers.CreateLogger<GatewayHost>();
        _app = Build(options, _listeners, _tls, loggers, isRehearsal);
        _configuration = new ActiveConfiguration(state, options, engine, _drains);
        _configuration.Changed += OnChanged;
        _configuration.Preparing += upstreamTls.Follow;
        upstreamTls.Follow(state.Config);
        _upstream = UpstreamFor(options, upstreamTls, _metrics, time);
        _keys = new UpstreamKeys(options.UpstreamKeys, time);
        _readiness = new Readiness(engine, _configuration) { Warnings = Warn };
        _federation = FederationService.Create(options, engine, _metrics, time, loggers, state.Config.Clusters);
        _endRequests = new CancellationTokenSource();
        _app.Lifetime.ApplicationStopping.Register(OnStopping);
        _accessLogFile = options.AccessLog is { Length: > 0 } path ? new AccessLogFile(path, _metrics.DroppedLines.With(), _log, time) : null;
        _meter = new MeterBridge(this, engine, time);
        _engineMeter = new EngineMeterReader(engine);
        Journal = new ConfigurationJournal(_configuration, time);
        _history = new MeshHistory(engine, _configuration, _metrics, time, loggers);
        (_inference, var dispatcher) = RequestPath(engine, time, loggers);
        _app.Run(dispatcher.HandleAsync);
        // Before the first request: what was drained when the process ended still is.
        if (!_drains.Current.Drains.IsEmpty) _configuration.Reapply();
    }

    /// <summary>Addresses that are open.</summary>
    public ImmutableArray<ListenerBinding> Bindings => _configuration.Current.Bindings;

    /// <summary>Region served; empty for all of them.</summary>
    public string Region => _configuration.Current.Region;

    /// <summary>This gateway among its peers; null without peers.</summary>
    internal FederationService? Federation => _federation;

    /// <summary>Version of the configuration in force.</summary>
    public long ConfigVersion => _configuration.Current.Config.Version;

    /// <summary>What became of every edit of the manifests, for the administrative API.</summary>
    public ConfigurationJournal Journal { get; }

    /// <summary>Counters, for tests.</summary>
    internal GatewayMetrics Metrics => _metrics;

    /// <summary>Source of the spans of this gateway, for tests.</summary>
    internal GatewayTracing Tracing => _tracing;

    /// <summary>True when keys are asked for.</summary>
    public bool AsksForKeys => _gate.IsClosed;

    /// <summary>Inference requests under way.</summary>
    public int OpenRequests => _inference.Open;

    /// <summary>Null when this gateway should get requests; else why not.</summary>
    public string? WhyNotReady => _readiness.WhyNot();

    /// <summary>Opens the listeners and serves.</summary>
    /// <param name="options">Options, already validated.</param>
    /// <param name="config">First configuration; the engine has it already.</param>
    /// <param name="engine">Engine.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs; they belong to the caller.</param>
    /// <param name="upstreamTls">TLS towards endpoints, which the engine may share; it belongs to the caller. Null makes one of the options.</param>
    /// <param name="isRehearsal">True for one that is not the process's own: it listens for no signal.</param>
    /// <exception cref="GatewayConfigurationException">A route, listener or address is not usable; the message says which and why.</exception>
    public static async Task<GatewayHost> StartAsync(
        GatewayOptions options, MeshConfig config, IMeshEngine engine, TimeProvider time, ILoggerFactory loggers, UpstreamTls? upstreamTls = null, bool isRehearsal = false)
    {
        RoutingState state;
        try
        {
            state = new RoutingState(config, options);
        }
        catch (ArgumentException e)
        {
            throw new GatewayConfigurationException(e.Message, e);
        }

        if (state.Bindings.IsEmpty)
        {
            var where = state.Region.Length > 0 ? $" in region {state.Region}" : "";
            throw new GatewayConfigurationException($"No Gateway of the manifests has a listener that can be opened{where}: HTTPS listeners need certificate files (Mesh:Certificates:NAME:Certificate and :Key).");
        }

        OpenAddresses.Check(options.Keys, state.Bindings);
        var host = new GatewayHost(options, state, engine, upstreamTls ?? new UpstreamTls(options.UpstreamTls, time, loggers), time, loggers, isRehearsal);
        try
        {
            // Both at once: a region that comes back is the sooner of use to its peers.
            var peers = host._federation is { } federation ? Task.Run(() => federation.StartAsync((context, forwarded) => host._inference.HandleAsync(context, null, forwarded))) : Task.CompletedTask;
            await Task.WhenAll(host._app.StartAsync(), peers);
            host.WarnOfMissingCertificates(config);
            return host;
        }
        catch (GatewayConfigurationException)
        {
            await host.DisposeAsync();
            throw;
        }
        catch (IOException e)
        {
            await host.DisposeAsync();
            var advice = e.InnerException is AddressInUseException
                ? " Another process has it, perhaps another gateway: open the listener elsewhere (--Mesh:Listeners:80=127.0.0.1:8081 for port 80 of the manifests) or the administrative address (--admin IP:PORT)."
                : "";
            throw new GatewayConfigurationException(e.Message + advice, e);
        }
    }

    /// <summary>Puts a new configuration in force without dropping a request.</summary>
    /// <exception cref="GatewayConfigurationException">It cannot be used; the old one stays.</exception>
    public void Apply(MeshConfig config)
    {
        try
        {
            // Whatever is wrong with the peers is said before anything has changed.
            var peers = _federation?.PeersOf(config.Clusters);
            _configuration.Apply(config);
            if (peers is { } others) _federation!.Hub.SetPeers(others);
            _metrics.Reloads.With("taken").Increment();
            WarnOfMissingCertificates(config);
        }
        catch (Exception e) when (e is ArgumentException or GatewayConfigurationException)
        {
            CountRefusedReload();
            throw e as GatewayConfigurationException ?? new GatewayConfigurationException(e.Message, e);
        }
    }

    /// <summary>Counts an edit of the manifests that was refused before it got here.</summary>
    public void CountRefusedReload() => _metrics.Reloads.With("refused").Increment();

    /// <summary>Completes when the process is told to stop, by signal or by <see cref="StopAsync"/>.</summary>
    public Task WaitForShutdownAsync() => _app.WaitForShutdownAsync();

    /// <summary>Not ready, no new connections; open requests get the drain time-out, then an error of their own.</summary>
    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _configuration.Changed -= OnChanged;
        await _app.DisposeAsync();
        if (_federation is not null) await _federation.DisposeAsync();
        _history.Dispose();
        _gate.Dispose();
        _certificates.Dispose();
        _upstream.Dispose();
        _keys.Dispose();
        _endRequests.Dispose();
        if (_accessLogFile is not null) await _accessLogFile.DisposeAsync();
        _engineMeter.Dispose();
        _meter.Dispose();
        _tracing.Dispose();
    }

    private static IUpstreamClient UpstreamFor(GatewayOptions options, UpstreamTls tls, GatewayMetrics metrics, TimeProvider time)
    {
        var limits = new UpstreamLimits { ConnectTimeout = options.ConnectTimeout, HeadTimeout = options.HeadTimeout, IdleTimeout = options.IdleTimeout };
        IUpstreamClient plain = options.Upstream == UpstreamKind.Sockets
            ? new SocketUpstreamClient(limits, time, options.UsesLoops, metrics)
            : new InvokerUpstreamClient(limits, clearHttp2: options.Upstream == UpstreamKind.Http2);
        return TlsUpstreamClient.For(tls, plain, limits);
    }

    private static WebApplication Build(GatewayOptions options, ListenerConfigurationSource listeners, ListenerTls tls, ILoggerFactory loggers, bool isRehearsal)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Mesh.Gateway" });
        var kestrel = new ConfigurationBuilder().Add(listeners).Build();
        builder.WebHost.UseKestrelCore().UseKestrelHttpsConfiguration().ConfigureKestrel(server =>
        {
            server.ConfigureEndpointDefaults(tls.Configure);
            server.Configure(kestrel, reloadOnChange: true);
            Limit(server, options);
        });
        // A request goes on where its bytes were read: a hop to another thread costs more than all that the gateway does with it.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        if (options.UsesLoops) builder.Services.AddSingleton<IConnectionListenerFactory, LoopTransport>();
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = options.DrainTimeout + StopMargin);
        builder.Services.AddSingleton(loggers);
        // A signal is for the process's own gateway, and would be taken from it.
        if (isRehearsal) builder.Services.AddSingleton<IHostLifetime, QuietLifetime>();
        return builder.Build();
    }

    private static void Limit(KestrelServerOptions server, GatewayOptions options)
    {
        server.AddServerHeader = false;
        ServerLimits.Apply(options.Limits, server.Limits);
        // Headers pass as bytes, whatever they mean.
        server.RequestHeaderEncodingSelector = static _ => Encoding.Latin1;
        server.ResponseHeaderEncodingSelector = static _ => Encoding.Latin1;
    }

    private (InferenceHandler Inference, RequestDispatcher Dispatcher) RequestPath(
        IMeshEngine engine, TimeProvider time, ILoggerFactory loggers)
    {
        var errors = _errors;
        var telemetry = new RequestTelemetry(_metrics, new KnownModels(engine, _configuration, time), _meter.Conventions, _tracing);
        var services = new InferenceServices(
            _options, _configuration, engine, _upstream, _keys, _metrics, telemetry, new RequestDraw(_options.Seed), new ExplainAccess(_options), time, loggers)
        {
            Peers = _federation?.Clients,
        };
        var matcher = new RouteMatcher(services);
        var forwarder = new Forwarder(services, matcher, new Mirrors(services, _endRequests.Token), new FlightRegistry(_configuration), errors);
        // A sequence of its own: what is logged must not change where requests go.
        var accessLog = new AccessLog(loggers, new RequestDraw(~_options.Seed), time, _accessLogFile);
        var decisionJson = new DecisionJson(time);
        var decisionLines = new DecisionLines(_options.DecisionLog.WriteToLog, engine, decisionJson, loggers);
        var handler = new InferenceHandler(
            services, matcher, forwarder, new StoredResponseForwarder(services, errors), new RequestLimits(_options.Limits, errors), errors, accessLog, decisionLines,
            _endRequests.Token);
        int? adminPort = _configuration.Current.Bindings is [.., { IsAdmin: true } admin] ? admin.Address.Port : null;
        ImmutableArray<IMetricSource> own = [.. ProcessMetrics.For(_configuration, () => handler.Open, _metrics.Sources), .. _metrics.Sources, .. PoolMetrics.All, .. EndpointMetrics.All, ExternalMetricSource.Source, .. _metrics.Federation.SourcesFor(engine, () => _federation?.HasConfigConflict)];
        _meter.Observe(own);
        var metrics = new MetricsPage(engine, [.. own, .. _engineMeter.Sources], time);
        var isGuarded = adminPort is not null || _gate.IsClosed;
        var decisions = new DecisionPages(isGuarded, engine, _configuration, decisionJson, errors);
        var reader = new MeshReader(engine, _configuration, Journal, time);
        var readFrom = new AdminServices(engine, _configuration, Journal, reader, _history, _metrics.Latencies, _readiness, () => RegionLink.Of(engine), () => handler.Open, errors, time);
        var drains = new DrainPages(new DrainOperations(_drains, _configuration, engine, time, loggers), engine, _configuration, errors);
        var api = new AdminApi(readFrom, new AdminAccess(isGuarded), decisions, [drains], _app.Lifetime.ApplicationStopping);
        var dispatcher = new RequestDispatcher(
            adminPort, handler, new ModelListPage(engine, _configuration, time), new HealthPages(_readiness), metrics, decisions, api, new DashboardPages(errors),
            new ExternalMetricPages(engine, _configuration, time), _configuration, _gate, errors);
        return (handler, dispatcher);
    }

    private string? Warn() => _federation?.ConfigConflict is { } conflict ? $"two config clusters: {conflict}; edits are not taken" : null;

    private void OnStopping()
    {
        _readiness.Stop();
        _endRequests.CancelAfter(_options.DrainTimeout);
    }

    private void OnChanged(RoutingState state)
    {
        // First the certificates: a listener that opens must find its own.
        _tls.Follow(state);
        if (_listeners.Set(state.Bindings)) ListenersChanged(_log, string.Join(", ", state.Bindings.Select(b => b.Address)));
    }

    private void WarnOfMissingCertificates(MeshConfig config)
    {
        foreach (var gateway in config.Gateways)
        {
            if (!gateway.ListensIn(Region)) continue;
            foreach (var listener in gateway.Listeners)
            {
                if (listener.Protocol != ListenerProtocol.Https || listener.Certificates.Any(_options.Certificates.ContainsKey)) continue;
                NoCertificate(_log, gateway.Namespace, gateway.Name, listener.Name, string.Join(", ", listener.Certificates));
            }
        }
    }

    [LoggerMessage(1, LogLevel.Information, "Listeners changed; now open: {Addresses}.")]
    private static partial void ListenersChanged(ILogger log, string addresses);

    [LoggerMessage(2, LogLevel.Warning, "Gateway {Namespace}/{Name}: HTTPS listener {Listener} does not serve: none of its certificates ({Certificates}) has files; name them by Mesh:Certificates:NAME:Certificate and Mesh:Certificates:NAME:Key.")]
    private static partial void NoCertificate(ILogger log, string @namespace, string name, string listener, string certificates);
}
