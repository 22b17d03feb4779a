using Mesh.Core.Config;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Watching;

namespace Mesh.Gateway.Hosting;

/// <summary>Carries edits of the manifests to a running gateway. A broken one is logged with its errors and changes nothing.</summary>
internal sealed partial class ManifestFeed : IDisposable
{
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly ManifestWatcher _watcher;
    private GatewayHost? _host;
    private Action<MeshConfig>? _alsoTo;
    private MeshConfig? _applied;

    /// <summary>Reads the directory and begins to watch it.</summary>
    public ManifestFeed(string directory, TimeProvider time, ILoggerFactory loggers)
    {
        _log = loggers.CreateLogger<ManifestFeed>();
        _watcher = ManifestWatcher.Start(directory, OnChanged, time);
        First = _watcher.Last;
        _applied = First.Config;
    }

    /// <summary>The first reading.</summary>
    public LoadResult First { get; }

    /// <summary>From now on edits go to a gateway, those that came in between first.</summary>
    /// <param name="host">Gateway, started with the configuration of <see cref="First"/>.</param>
    /// <param name="alsoTo">Told of every configuration before the gateway is; null without anyone.</param>
    public void Attach(GatewayHost host, Action<MeshConfig>? alsoTo)
    {
        lock (_gate)
        {
            _host = host;
            _alsoTo = alsoTo;
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
            Refused(_log, result.Diagnostics.Count(d => d.Severity == Severity.Error), _applied?.Version ?? 0);
        }
    }

    private void Apply(LoadResult result)
    {
        if ((_host is null && _alsoTo is null) || result.Config is not { } config || ReferenceEquals(config, _applied)) return;
        try
        {
            _alsoTo?.Invoke(config);
            _host?.Apply(config);
            _applied = config;
            Taken(_log, config.Version);
        }
        catch (GatewayConfigurationException e)
        {
            CannotBeUsed(_log, e.Message, _applied?.Version ?? 0);
        }
    }

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

    [LoggerMessage(5, LogLevel.Information, "The manifests changed; configuration {Version} is in force.")]
    private static partial void Taken(ILogger log, long version);

    [LoggerMessage(6, LogLevel.Error, "{Message} Configuration {Version} stays in force.")]
    private static partial void CannotBeUsed(ILogger log, string message, long version);
}
