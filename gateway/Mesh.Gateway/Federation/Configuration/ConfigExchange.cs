using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Engine.Federation;
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
    /// <summary>How long a peer may take to tell its configuration.</summary>
    internal static readonly TimeSpan AskLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly GatewayOptions _options;
    private readonly string _manifests;
    private readonly string _region;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly OwnManifests _own;
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

    public ConfigExchange(GatewayOptions options, string manifests, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _manifests = manifests;
        _region = options.Region ?? "";
        _time = time;
        _log = loggers.CreateLogger<ConfigExchange>();
        _own = new OwnManifests(manifests, _region);
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
                return _claims.Own is null ? bundle.Files : [.. bundle.Files, .. _own.Workloads(bundle.Tag.Cluster)];
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
        var kept = _file.Read();
        if (own.Config is { } config && !_own.IsElsewhere(config))
        {
            lock (_gate)
            {
                _current = kept;
                if (!Claim(config) && kept is null) _current = _own.Bundle(config, 0);
            }

            return;
        }

        if (own.Config is null && !own.Diagnostics.Any(d => d.Code == DiagnosticCodes.ConfigClusterMissing)) return;
        if (kept is not null)
        {
            _log.Kept(kept.Tag.Cluster, kept.Tag.Version);
            _current = kept;
            return;
        }

        // Without anybody to ask, the reading of the manifests says what is missing.
        _current = await FirstConfig.AskAsync(_options, own.Clusters, _time, _log);
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

    /// <summary>Takes the own manifests' configuration for the mesh's when the config cluster is one of the own region; true when it is.</summary>
    private bool Claim(MeshConfig config)
    {
        if (_conflict is not null) return _claims.Own is not null;
        var cluster = config.Clusters.FirstOrDefault(c => c.IsConfigCluster);
        if (cluster is null || cluster.Region != _region || _own.Files(cluster.Name) is not { IsEmpty: false } files)
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
            _log.Published(cluster.Name, bundle.Tag.Version, bundle.Tag.Hash);
        }

        _claims.Own = bundle.Tag;
        return true;
    }

    private void Publish()
    {
        if (_hub is not { } hub) return;
        hub.Config = _current?.Tag ?? ConfigTag.None;
        var conflict = _claims.Conflict;
        _onConflict?.Invoke(conflict);
        if (conflict == _conflict) return;
        _conflict = conflict;
        if (conflict is not null) _log.Conflict(conflict, _current?.Tag.Version ?? 0);
        else _log.ConflictOver();
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
            if (_refusedHash != tag.Hash) _log.CannotAsk(peer, tag.Version, e.Message);
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
            foreach (var finding in result.Diagnostics.Where(d => d.Severity == Severity.Error)) _log.Finding(finding.ToString());
            _log.NotTaken(bundle.Tag.Version, peer, _current?.Tag.Version ?? 0);
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
        _log.Taken(bundle.Tag.Version, bundle.Tag.Cluster, peer);
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
}
