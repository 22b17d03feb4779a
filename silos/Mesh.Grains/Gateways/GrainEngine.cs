using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Engine.Scraping.Orca;
using Mesh.Grains.Rehearsing;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Gateways;

/// <summary>
/// The engine as a gateway sees it when the pools run in grains: it asks them, holds what they give, and knows of them what they push. Probing and
/// scraping happen on the silos, by their own configuration. Thread-safe.
/// </summary>
public sealed partial class GrainEngine : IMeshEngine
{
    private static readonly TimeSpan FlushTime = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan MostForRehearsing = TimeSpan.FromSeconds(3);
    private readonly LinkServices _services;
    private readonly GrainRouter _router = new();
    private readonly KeptDecisions _decisions;
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _reconfiguring = new();
    private readonly Task _keeping;
    private volatile bool _rehearses;
    private bool _isDisposed;

    /// <summary>Starts without pools.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="grains">Way to the grains: a client's, connected or not yet, or that of a silo in this process.</param>
    /// <param name="time">Clock.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public GrainEngine(GrainEngineOptions options, IGrainFactory grains, TimeProvider time, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(grains);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        options.Validate();
        Session = new GatewaySession(options.GatewayId, Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds()));
        _decisions = new KeptDecisions(options.ExplainedDecisions, time);
        _services = new LinkServices(options, Session, grains, time, _decisions, loggers.CreateLogger<GrainEngine>());
        _rehearses = options.KeepsTime;
        _keeping = options.KeepsTime ? Task.Run(() => KeepAlwaysAsync(_stop.Token)) : Task.CompletedTask;
    }

    /// <inheritdoc/>
    public IRouter Router => _router;

    /// <inheritdoc/>
    public GatewaySession Session { get; }

    /// <summary>True while no silo answers for some pool, and the gateway chooses by what it last knew.</summary>
    public bool IsOnItsOwn => _router.Links.Values.Any(l => l.IsOnItsOwn);

    /// <summary>Leases held.</summary>
    public int HeldLeases => _router.Links.Values.Sum(l => l.HeldLeases);

    internal GrainRouter Links => _router;

    /// <inheritdoc/>
    public void Reconfigure(MeshConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        lock (_reconfiguring)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            _regions = RegionsOf(config);
            var before = _router.Links;
            var after = new Dictionary<PoolId, PoolShards>();
            foreach (var pool in config.Pools)
            {
                if (before.TryGetValue(pool.Id, out var link)) link.Reconfigure(pool);
                else link = new PoolShards(pool, _services);
                after[pool.Id] = link;
            }

            _router.Links = after.ToFrozenDictionary();
            foreach (var (id, link) in before)
            {
                if (!after.ContainsKey(id)) link.Close();
            }
            // Those that came while it rehearsed are asked when it has.
            if (!_services.Options.KeepsTime || _rehearses) return;
            foreach (var (id, link) in after)
            {
                // At once: the first request should not wait for the next sign of life.
                if (!before.ContainsKey(id)) link.Keep();
            }
        }
    }

    /// <inheritdoc/>
    public ImmutableArray<ExplainedDecision> Decisions(PoolId? pool, string? requestId, int limit) => _decisions.Find(pool, requestId, limit);

    /// <inheritdoc/>
    public void ReportLoad(PoolId pool, EndpointId endpoint, in OrcaReport report)
    {
        if (!_router.Links.TryGetValue(pool, out var link)) return;
        link.ReportLoad(new EndpointReport
        {
            Endpoint = endpoint,
            Timestamp = _services.Time.GetTimestamp(),
            KvUtilizationRatio = report.KvUtilizationRatio,
            RunningRequests = report.RunningRequests,
            WaitingRequests = report.WaitingRequests,
            ApplicationUtilizationRatio = report.ApplicationUtilizationRatio,
            CpuUtilizationRatio = report.CpuUtilizationRatio,
        });
    }

    /// <inheritdoc/>
    public ImmutableArray<PoolSnapshot> Snapshot() => [.. _router.Links.OrderBy(l => l.Key).Select(l => l.Value.Snapshot)];

    /// <summary>Tells the pools what they have not been told, for at most 2 s, and falls silent: what is still held comes back by itself.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_reconfiguring)
        {
            if (_isDisposed) return;
            _isDisposed = true;
        }

        await Task.WhenAll(_router.Links.Values.Select(l => l.FlushAsync(FlushTime))).ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        foreach (var link in _router.Links.Values) link.Close();
        _stop.Dispose();
    }

    /// <summary>One round of signs of life, for hosts that keep time themselves.</summary>
    internal void Keep()
    {
        foreach (var link in _router.Links.Values) link.Keep();
    }

    // Until that is over the gateway knows of no endpoint, and so is not ready: its first requests do not wait for code to be compiled.
    private async Task RehearseAsync(CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        end.CancelAfter(MostForRehearsing);
        using var rehearsal = new Rehearsal(_services.Options.GatewayId, _services.Grains, _services.Time);
        while (!end.IsCancellationRequested)
        {
            try
            {
                await rehearsal.RunAsync(end.Token).ConfigureAwait(false);
                await rehearsal.EndAsync(end.Token).ConfigureAwait(false);
                return;
            }
            catch (Exception e)
            {
                // A client that has not met a silo yet fails in many ways. Where none answers at all, the first requests will take longer.
                NotRehearsed(_services.Logger, e);
            }
            await Task.Delay(_services.Options.RetryPause, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task KeepAlwaysAsync(CancellationToken cancellationToken)
    {
        await RehearseAsync(cancellationToken).ConfigureAwait(false);
        _rehearses = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            Keep();
            await Task.Delay(_services.Options.HeartbeatInterval, _services.Time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(1, LogLevel.Debug, "The rehearsal was cut short.")]
    private static partial void NotRehearsed(ILogger logger, Exception e);
}
