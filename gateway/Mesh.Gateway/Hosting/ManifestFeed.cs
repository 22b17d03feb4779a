using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Gateway.Federation.Configuration;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Watching;

namespace Mesh.Gateway.Hosting;

/// <summary>Carries edits of the manifests to a running gateway. A broken one is logged with its errors and changes nothing.</summary>
internal sealed partial class ManifestFeed : IDisposable
{
    private readonly ILogger _log;
    private readonly string _directory;
    private readonly string? _region;
    private readonly ConfigExchange? _exchange;
    private readonly Lock _gate = new();
    private readonly ManifestWatcher _watcher;
    private GatewayHost? _host;
    private Action<MeshConfig>? _alsoTo;
    private MeshConfig? _applied;
    private bool _isBroken;

    /// <summary>Reads the directory and begins to watch it.</summary>
    /// <param name="directory">Directory with a folder for each cluster.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Logs.</param>
    /// <param name="region">Region whose backends alone count, because peers stand for the others; null for all.</param>
    /// <param name="exchange">Gives the config cluster's manifests where they come from another region; null without peers.</param>
    /// <param name="peerRegions">Regions that peers serve by the options.</param>
    public ManifestFeed(
        string directory, TimeProvider time, ILoggerFactory loggers, string? region = null, ConfigExchange? exchange = null, ImmutableArray<string> peerRegions = default)
    {
        _region = region;
        _exchange = exchange;
        _log = loggers.CreateLogger<ManifestFeed>();
        _directory = directory;
        _watcher = ManifestWatcher.Start(directory, OnChanged, time, exchange is null ? null : new ManifestWatcherOptions { Overlay = () => exchange.Overlay, PeerRegions = peerRegions.IsDefault ? [] : peerRegions });
        First = _watcher.Last;
        _applied = First.Config;
        FirstConfig = First.Config is { } config ? Scoped(config) : null;
    }

    /// <summary>The first reading.</summary>
    public LoadResult First { get; }

    /// <summary>Its configuration, as far as it concerns this process; null when there is an error.</summary>
    public MeshConfig? FirstConfig { get; }

    /// <summary>Looks for a change at once, in what comes from other regions too.</summary>
    public void Refresh() => _watcher.Refresh();

    /// <summary>From now on edits go to a gateway, those that came in between first.</summary>
    /// <param name="host">Gateway, started with the configuration of <see cref="First"/>.</param>
    /// <param name="alsoTo">Told of every configuration before the gateway is; null without anyone.</param>
    public void Attach(GatewayHost host, Action<MeshConfig>? alsoTo)
    {
        lock (_gate)
        {
            _host = host;
            _alsoTo = alsoTo;
            host.Journal.Started(_directory, First);
            if (_watcher.LastGood is { } good) Apply(good);
        }
    }

    /// <summary>As <see cref="Attach(GatewayHost, Action{MeshConfig})"/>, for a process that serves no requests.</summary>
    /// <param name="to">Told of every configuration.</param>
    public void Attach(Action<MeshConfig> to)
    {
        lock (_gate)
        {
            _alsoTo = to;
            if (_watcher.LastGood is { } good) Apply(good);
        }
    }

    public void Dispose()
    {
        // First the watch, so that nothing comes any more; its callback takes the lock.
        _watcher.Dispose();
        lock (_gate) (_host, _alsoTo) = (null, null);
    }

    private void OnChanged(LoadResult result)
    {
        lock (_gate)
        {
            foreach (var finding in result.Diagnostics) Log(finding);
            if (!result.HasErrors)
            {
                Apply(result);
                return;
            }

            _host?.CountRefusedReload();
            _host?.Journal.Refused(result);
            _isBroken = true;
            Refused(_log, result.Diagnostics.Count(d => d.Severity == Severity.Error), _applied?.Version ?? 0);
        }
    }

    private void Apply(LoadResult result)
    {
        if ((_host is null && _alsoTo is null) || result.Config is not { } config) return;
        if (ReferenceEquals(config, _applied))
        {
            // Back from a broken edit: nothing changes but that its errors are gone.
            _host?.Journal.Taken(result);
            if (_isBroken) Mended(_log, config.Version);
            _isBroken = false;
            return;
        }

        try
        {
            var scoped = Scoped(config);
            _alsoTo?.Invoke(scoped);
            _host?.Apply(scoped);
            _applied = config;
            _exchange?.Loaded(config);
            _isBroken = false;
            _host?.Journal.Taken(result);
            Taken(_log, config.Version);
        }
        catch (GatewayConfigurationException e)
        {
            _host?.Journal.Unusable(result, e.Message);
            CannotBeUsed(_log, e.Message, _applied?.Version ?? 0);
        }
    }

    private MeshConfig Scoped(MeshConfig config) => _region is null ? config : config.ForRegion(_region);

    private void Log(Diagnostic finding)
    {
        var text = finding.ToString();
        if (finding.Severity == Severity.Error) Error(_log, text);
        else if (finding.Severity == Severity.Warning) Warning(_log, text);
        else Info(_log, text);
    }

    [LoggerMessage(1, LogLevel.Error, "{Finding}")]
    private static partial void Error(ILogger log, string finding);

    [LoggerMessage(2, LogLevel.Warning, "{Finding}")]
    private static partial void Warning(ILogger log, string finding);

    [LoggerMessage(3, LogLevel.Information, "{Finding}")]
    private static partial void Info(ILogger log, string finding);

    [LoggerMessage(4, LogLevel.Error, "The manifests have {Errors} errors; configuration {Version} stays in force.")]
    private static partial void Refused(ILogger log, int errors, long version);

    [LoggerMessage(7, LogLevel.Information, "The manifests have no errors any more; configuration {Version} stays in force.")]
    private static partial void Mended(ILogger log, long version);

    [LoggerMessage(5, LogLevel.Information, "The manifests changed; configuration {Version} is in force.")]
    private static partial void Taken(ILogger log, long version);

    [LoggerMessage(6, LogLevel.Error, "{Message} Configuration {Version} stays in force.")]
    private static partial void CannotBeUsed(ILogger log, string message, long version);
}
