using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
using Mesh.Engine.Federation.Links;
using Mesh.Gateway.Hosting;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>
/// Hands the configuration of the config cluster from its region to all others: its region publishes the cluster's manifests with a version
/// and a hash, the others take what is new once it has been checked, keep it on disk, go by it and pass it on. A region that is cut off
/// goes by what it kept. Thread-safe.
/// </summary>
internal sealed partial class ConfigExchange : IDisposable
{
    /// <summary>How long a first start waits for a peer to tell the configuration.</summary>
    public static readonly TimeSpan FirstWait = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(200);

    private readonly GatewayOptions _options;
    private readonly string _manifests;
    private readonly string _region;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly ConfigFile _file;
    private readonly ConfigClaims _claims;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private ConfigBundle? _current;
    private IFederation? _hub;
    private Action<string?>? _onConflict;
    private Action? _changed;
    private string? _conflict;
    private string _refusedHash = "";
    private long _askedAt;
    private bool _asking;
    private ImmutableArray<ClusterConfig> _ownClusters = [];

    public ConfigExchange(GatewayOptions options, string manifests, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _manifests = manifests;
        _region = options.Region ?? "";
        _time = time;
        _log = loggers.CreateLogger<ConfigExchange>();
        _file = new ConfigFile(options.Federation, options.Federation.Name ?? _region, _log);
        _claims = new ConfigClaims(_region);
        _askedAt = time.GetTimestamp();
    }

    /// <summary>Manifests that come from the config cluster's region; none where the own directory has them.</summary>
    public ImmutableArray<ManifestText> Overlay
    {
        get
        {
            lock (_gate)
            {
                if (_current is not { } bundle || (_claims.Own is not null && _conflict is null)) return [];
                // While it is disputed whose configuration holds, edits of the own one do not count either; its pods do.
                return _claims.Own is null ? bundle.Files : [.. bundle.Files, .. WorkloadFilter.Only(ManifestText.Read(_manifests, bundle.Tag.Cluster))];
            }
        }
    }

    /// <summary>
    /// Finds a configuration to start with: the own manifests', else the last good one, else what a peer tells. What is there afterwards may
    /// still have mistakes, which the reading of the manifests tells.
    /// </summary>
    /// <exception cref="GatewayConfigurationException">No peer told one in time.</exception>
    public async Task PrepareAsync()
    {
        var own = ManifestLoader.Load(_manifests);
        _ownClusters = own.Clusters;
        var kept = _file.Read();
        if (own.Config is { } config && !IsElsewhere(config))
        {
            lock (_gate)
            {
                _current = kept;
                if (!Claim(config) && kept is null) _current = Bundle(config, 0);
            }

            return;
        }

        if (own.Config is null && !own.Diagnostics.Any(d => d.Code == DiagnosticCodes.ConfigClusterMissing)) return;
        if (kept is not null)
        {
            Kept(_log, kept.Tag.Cluster, kept.Tag.Version);
            _current = kept;
            return;
        }

        // Without anybody to ask, the reading of the manifests says what is missing.
        _current = await FirstAsync();
        if (_current is not null) _file.Write(_current);
    }

    /// <summary>True while two clusters claim to be the config cluster.</summary>
    public bool HasConflict
    {
        get
        {
            lock (_gate) return _conflict is not null;
        }
    }

    /// <summary>Which configuration this process goes by.</summary>
    public ConfigTag Tag
    {
        get
        {
            lock (_gate) return _current?.Tag ?? ConfigTag.None;
        }
    }

    /// <summary>The configuration that this process goes by, for whoever asks; null for none.</summary>
    public byte[]? Read()
    {
        lock (_gate) return _current?.ToJson();
    }

    /// <summary>From now on reports tell what this region goes by, and what peers tell is followed.</summary>
    /// <param name="service">The exchange of reports.</param>
    /// <param name="changed">Called when <see cref="Overlay"/> has changed; on any thread.</param>
    public void Attach(FederationService service, Action changed)
    {
        service.ConfigPage = PageAsync;
        void OnConflict(string? conflict) => service.ConfigConflict = conflict;
        if (service.Hub is IRegionConfiguration region) Follow(region, OnConflict, changed);
        else Lead(service.Hub, OnConflict, changed);
    }

    /// <summary>This process speaks for its region: its reports tell what it goes by, and it follows what peers tell.</summary>
    /// <param name="hub">The exchange of reports.</param>
    /// <param name="onConflict">Told which two clusters claim to be the config cluster, in words, or null when there is one; null for whoever is told already.</param>
    /// <param name="changed">Called when <see cref="Overlay"/> has changed; on any thread.</param>
    public void Lead(IFederation hub, Action<string?>? onConflict, Action changed)
    {
        lock (_gate)
        {
            if (_hub is { } before) before.ConfigHeard -= OnHeard;
            (_hub, _onConflict, _changed) = (hub, onConflict ?? _onConflict, changed);
            Publish();
        }

        hub.ConfigHeard += OnHeard;
    }

    /// <summary>This process does not speak for its region any more; without effect when it did not by this hub.</summary>
    public void Cease(IFederation hub)
    {
        hub.ConfigHeard -= OnHeard;
        lock (_gate)
        {
            if (ReferenceEquals(_hub, hub)) _hub = null;
        }
    }

    /// <summary>A configuration is in force; in the config cluster's region it may be a new version of it.</summary>
    public void Loaded(MeshConfig config)
    {
        lock (_gate)
        {
            Claim(config);
            // What a peer said that is none any more is nobody's word.
            if (_hub is { } hub) _claims.Keep([.. hub.Addresses.Select(p => p.Region)]);
            Publish();
        }
    }

    public void Dispose()
    {
        if (_hub is { } hub) hub.ConfigHeard -= OnHeard;
        if (_regions is { } region) region.Changed -= OnRegionChanged;
        _stop.Cancel();
        _stop.Dispose();
    }

    /// <summary>True when the own manifests say which the config cluster is, but do not have it.</summary>
    private bool IsElsewhere(MeshConfig config) =>
        config.Clusters.FirstOrDefault(c => c.IsConfigCluster) is { } cluster && cluster.Region != _region && !Directory.Exists(Path.Combine(_manifests, cluster.Name));

    /// <summary>Takes the own manifests' configuration for the mesh's when the config cluster is one of the own region; true when it is.</summary>
    private bool Claim(MeshConfig config)
    {
        if (_conflict is not null) return _claims.Own is not null;
        var cluster = config.Clusters.FirstOrDefault(c => c.IsConfigCluster);
        if (cluster is null || cluster.Region != _region || Files(cluster.Name) is not { IsEmpty: false } files)
        {
            _claims.Own = null;
            return false;
        }

        var before = _current?.Tag ?? ConfigTag.None;
        var bundle = ConfigBundle.Of(cluster.Name, _region, before.Version, files);
        // The version goes on from the one that was kept, so that peers know what is newer after a restart, too.
        if (bundle.Tag.Hash != before.Hash)
        {
            bundle = bundle with { Tag = bundle.Tag with { Version = before.Version + 1 } };
            _current = bundle;
            _file.Write(bundle);
            Published(_log, cluster.Name, bundle.Tag.Version, bundle.Tag.Hash);
        }

        _claims.Own = bundle.Tag;
        return true;
    }

    private ImmutableArray<ManifestText> Files(string cluster) => WorkloadFilter.Apply(ManifestText.Read(_manifests, cluster));

    private ConfigBundle? Bundle(MeshConfig config, long version) =>
        config.Clusters.FirstOrDefault(c => c.IsConfigCluster) is { } cluster && Files(cluster.Name) is { IsEmpty: false } files
            ? ConfigBundle.Of(cluster.Name, cluster.Region, version, files) : null;

    private void Publish()
    {
        if (_hub is not { } hub) return;
        hub.Config = _current?.Tag ?? ConfigTag.None;
        var conflict = _claims.Conflict;
        _onConflict?.Invoke(conflict);
        if (conflict == _conflict) return;
        _conflict = conflict;
        if (conflict is not null) Conflict(_log, conflict, _current?.Tag.Version ?? 0);
        else ConflictOver(_log);
        // Edits are put off, or made up for; outside of the lock, because the manifests are read by it.
        if (_changed is { } changed) ThreadPool.UnsafeQueueUserWorkItem(static c => c(), changed, preferLocal: false);
    }

    private void OnHeard(PeerAddress peer, ConfigTag tag)
    {
        lock (_gate)
        {
            _claims.Hear(peer.Region, tag);
            Publish();
            if (_hub is not { } hub || _asking || _claims.Newer(_current?.Tag ?? ConfigTag.None) is not { } newer) return;
            if (newer.Tag.Hash == _refusedHash && _time.GetElapsedTime(_askedAt) < RetryPause) return;
            _asking = true;
            _askedAt = _time.GetTimestamp();
            // What it is called may have changed meanwhile.
            var name = hub.PeerOf(newer.Region)?.Name ?? peer.Name;
            _ = Task.Run(() => AskAsync(hub, name, newer.Tag));
        }
    }

    private async Task AskAsync(IFederation hub, string peer, ConfigTag tag)
    {
        try
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            using var timer = _time.CreateTimer(static s => ((CancellationTokenSource)s!).Cancel(), limit, AskLimit, Timeout.InfiniteTimeSpan);
            var bundle = ConfigBundle.FromJson(await hub.AskAsync(peer, FederationPaths.Config, ConfigBundle.MaxBytes, limit.Token));
            Take(bundle, peer);
        }
        catch (Exception e) when (e is HttpRequestException or InvalidDataException or OperationCanceledException or IOException or ObjectDisposedException)
        {
            if (_refusedHash != tag.Hash) CannotAsk(_log, peer, tag.Version, e.Message);
            _refusedHash = tag.Hash;
        }
        finally
        {
            lock (_gate) _asking = false;
        }
    }

    private void Take(ConfigBundle bundle, string peer)
    {
        var result = ManifestLoader.Load(_manifests, bundle.Files);
        if (result.HasErrors || result.Config is null)
        {
            if (_refusedHash == bundle.Tag.Hash) return;
            _refusedHash = bundle.Tag.Hash;
            foreach (var finding in result.Diagnostics.Where(d => d.Severity == Severity.Error)) Finding(_log, finding.ToString());
            NotTaken(_log, bundle.Tag.Version, peer, _current?.Tag.Version ?? 0);
            return;
        }

        Action? changed;
        lock (_gate)
        {
            // In the meantime the own region may have become the config cluster's.
            if (_claims.Own is not null || _claims.Conflict is not null) return;
            _current = bundle;
            _refusedHash = "";
            Publish();
            changed = _changed;
        }

        _file.Write(bundle);
        Taken(_log, bundle.Tag.Version, bundle.Tag.Cluster, peer);
        changed?.Invoke();
    }

    private async Task PageAsync(HttpContext context)
    {
        ConfigBundle? bundle;
        lock (_gate) bundle = _current;
        if (bundle is null)
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return;
        }

        var json = bundle.ToJson();
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    /// <summary>Asks every peer in turn until one tells a configuration that can be used.</summary>
    private async Task<ConfigBundle?> FirstAsync()
    {
        var settings = FederationPlan.Settings(_options, "", _ownClusters);
        var credentials = new FederationCredentials(_options, settings.ConnectTimeout);
        var self = new PeerIdentity(settings.Name, settings.Region, FederationHub.Protocol, 1, "");
        var began = _time.GetTimestamp();
        var last = "";
        if (settings.Peers.IsEmpty) return null;
        Waiting(_log);
        while (_time.GetElapsedTime(began) < FirstWait)
        {
            foreach (var peer in settings.Peers)
            {
                foreach (var url in peer.Urls)
                {
                    try
                    {
                        using var limit = new CancellationTokenSource(AskLimit, _time);
                        return ConfigBundle.FromJson(await PeerQuestion.AskAsync(url, peer, FederationPaths.Config, ConfigBundle.MaxBytes, self, credentials.Connect, limit.Token));
                    }
                    catch (Exception e) when (e is HttpRequestException or InvalidDataException or OperationCanceledException or IOException)
                    {
                        last = $"{peer.Name}: {e.Message}";
                    }
                }
            }

            await Task.Delay(FirstPause, _time);
        }

        throw new GatewayConfigurationException(
            $"The manifests name no config cluster, nothing was kept from before, and no peer told its configuration within {FirstWait.TotalSeconds:0} s ({last}).");
    }

    [LoggerMessage(1, LogLevel.Information, "No config cluster here; waiting for a peer to tell the configuration.")]
    private static partial void Waiting(ILogger log);

    [LoggerMessage(2, LogLevel.Information, "Starting from the last good configuration of {Cluster}, version {Version}.")]
    private static partial void Kept(ILogger log, string cluster, long version);

    [LoggerMessage(3, LogLevel.Information, "Configuration of {Cluster}, version {Version} ({Hash}), goes to the peers.")]
    private static partial void Published(ILogger log, string cluster, long version, string hash);

    [LoggerMessage(4, LogLevel.Information, "Configuration version {Version} of {Cluster} taken from {Peer}.")]
    private static partial void Taken(ILogger log, long version, string cluster, string peer);

    [LoggerMessage(5, LogLevel.Error, "Configuration version {Version} from {Peer} has mistakes; version {Current} stays in force.")]
    private static partial void NotTaken(ILogger log, long version, string peer, long current);

    [LoggerMessage(6, LogLevel.Error, "{Finding}")]
    private static partial void Finding(ILogger log, string finding);

    [LoggerMessage(7, LogLevel.Error, "Two config clusters: {Conflict}. Exactly one may be; edits are not taken, and version {Version} stays in force.")]
    private static partial void Conflict(ILogger log, string conflict, long version);

    [LoggerMessage(8, LogLevel.Information, "There is one config cluster again.")]
    private static partial void ConflictOver(ILogger log);

    [LoggerMessage(9, LogLevel.Warning, "Configuration version {Version} could not be had from {Peer}: {Reason}")]
    private static partial void CannotAsk(ILogger log, string peer, long version, string reason);
}
