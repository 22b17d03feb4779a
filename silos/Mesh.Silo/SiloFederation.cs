using System.Reflection;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Federation.Configuration;
using Mesh.Gateway.Hosting;
using Mesh.Grains.Federation;

namespace Mesh.Silo;

/// <summary>What this process has to do with peer regions: who they are, and which configuration the region goes by.</summary>
internal sealed class SiloFederation : ISpokesman, IAsyncDisposable
{
    private readonly GatewayOptions _options;
    private readonly FederationSettings _settings;
    private readonly FederationCredentials _credentials;
    private readonly ConfigExchange _exchange;
    private ManifestFeed? _feed;
    private RemoteFederation? _remote;

    private SiloFederation(GatewayOptions options, ConfigExchange exchange)
    {
        _options = options;
        var version = typeof(FederationService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        _settings = FederationPlan.Settings(options, version);
        _credentials = new FederationCredentials(options, _settings.ConnectTimeout);
        _exchange = exchange;
        ForGrains = new GrainFederation(_settings, _credentials.Connect, this);
    }

    public bool HasConflict => _exchange.HasConflict;

    public ConfigTag Tag => _exchange.Tag;

    /// <summary>What the grains of a silo need.</summary>
    public GrainFederation ForGrains { get; }

    /// <summary>
    /// Null where the options name neither peers nor an address for them: the manifests may name peers, too. Finds a configuration to start with, which may take a while
    /// where a peer has to tell it.
    /// </summary>
    /// <exception cref="GatewayConfigurationException">An option is missing or wrong, or no peer told a configuration in time.</exception>
    public static async Task<SiloFederation?> PrepareAsync(GatewayOptions options, string manifests, TimeProvider time, ILoggerFactory loggers)
    {
        if (!FederationPlan.IsWanted(options)) return null;
        var federation = new SiloFederation(options, new ConfigExchange(options, manifests, time, loggers));
        await federation._exchange.PrepareAsync();
        return federation;
    }

    /// <summary>Reads the manifests together with what comes from the config cluster's region.</summary>
    public ManifestFeed Feed(string manifests, TimeProvider time, ILoggerFactory loggers) =>
        _feed = new ManifestFeed(manifests, time, loggers, _settings.Region, _exchange, [.. _options.Peers.Select(p => p.Value.Region ?? p.Key)]);

    /// <summary>Goes on with the peers that a configuration names, besides those of the options.</summary>
    /// <exception cref="GatewayConfigurationException">An address is of no use, or two peers are named alike; nothing has changed then.</exception>
    public void Follow(MeshConfig config)
    {
        var peers = FederationPlan.Settings(_options, "", config.Clusters).Peers;
        ForGrains.SetPeers(peers);
        _remote?.SetPeers(peers);
    }

    /// <summary>From now on a gateway in this process goes by what the region goes by.</summary>
    public void Attach(FederationService service) => _exchange.Attach(service, Refresh);

    /// <summary>The same for a process that serves no requests.</summary>
    public void Attach(string name, IGrainFactory grains, TimeProvider time, ILoggerFactory loggers)
    {
        _remote = new RemoteFederation(_settings with { Peers = ForGrains.Peers }, _credentials.Connect, name, grains, time, loggers);
        _remote.Start();
        _exchange.Follow(_remote, onConflict: null, Refresh);
    }

    public void Lead(IFederation hub) => _exchange.Lead(hub, onConflict: null, Refresh);

    public void Cease(IFederation hub) => _exchange.Cease(hub);

    public byte[]? Read() => _exchange.Read();

    public async ValueTask DisposeAsync()
    {
        if (_remote is not null) await _remote.DisposeAsync();
        _exchange.Dispose();
    }

    private void Refresh() => _feed?.Refresh();
}
