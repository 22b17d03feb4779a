using System.Reflection;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Federation.Configuration;
using Mesh.Gateway.Hosting;
using Mesh.Grains.Federation;

namespace Mesh.Silo;

/// <summary>What this process has to do with peer regions: who they are, and which configuration the region goes by.</summary>
internal sealed class SiloFederation : ISpokesman, IAsyncDisposable
{
    private readonly FederationSettings _settings;
    private readonly FederationCredentials _credentials;
    private readonly ConfigExchange _exchange;
    private ManifestFeed? _feed;
    private RemoteFederation? _remote;

    private SiloFederation(GatewayOptions options, ConfigExchange exchange)
    {
        var version = typeof(FederationService).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "";
        _settings = FederationPlan.Settings(options, version);
        _credentials = new FederationCredentials(options, _settings.ConnectTimeout);
        _exchange = exchange;
    }

    public bool HasConflict => _exchange.HasConflict;

    public ConfigTag Tag => _exchange.Tag;

    /// <summary>What the grains of a silo need.</summary>
    public GrainFederation ForGrains => new(_settings, _credentials.Connect, this);

    /// <summary>Null without peers. Finds a configuration to start with, which may take a while where a peer has to tell it.</summary>
    /// <exception cref="GatewayConfigurationException">An option is missing or wrong, or no peer told a configuration in time.</exception>
    public static async Task<SiloFederation?> PrepareAsync(GatewayOptions options, SiloOptions silo, string manifests, TimeProvider time, ILoggerFactory loggers)
    {
        if (options.Peers.Count == 0) return null;
        Require(silo);
        var federation = new SiloFederation(options, new ConfigExchange(options, manifests, time, loggers));
        await federation._exchange.PrepareAsync();
        return federation;
    }

    /// <summary>A pool's shards are each other's peers, and have no others.</summary>
    /// <exception cref="GatewayConfigurationException">Pools may have several shards.</exception>
    internal static void Require(SiloOptions silo)
    {
        if (silo.Shards > 1 || silo.MaxShards > 1)
            throw new GatewayConfigurationException("Silo:Shards and Silo:MaxShards above 1 cannot be had together with Mesh:Peers: a pool that is divided does not share its load with other regions.");
    }

    /// <summary>Reads the manifests together with what comes from the config cluster's region.</summary>
    public ManifestFeed Feed(string manifests, TimeProvider time, ILoggerFactory loggers) =>
        _feed = new ManifestFeed(manifests, time, loggers, _settings.Region, _exchange);

    /// <summary>From now on a gateway in this process goes by what the region goes by.</summary>
    public void Attach(FederationService service) => _exchange.Attach(service, Refresh);

    /// <summary>The same for a process that serves no requests.</summary>
    public void Attach(string name, IGrainFactory grains, TimeProvider time, ILoggerFactory loggers)
    {
        _remote = new RemoteFederation(_settings, _credentials.Connect, name, grains, time, loggers);
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
