using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation;
using Mesh.Engine.Http;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Engine.Monitoring;
using Mesh.Engine.Probing;
using Mesh.Engine.Scraping.Orca;
using Mesh.Engine.Telemetry;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine;

/// <summary>
/// The engine inside one process: one state and one lock per pool, one monitor per endpoint. It starts with no configuration; what
/// <see cref="Reconfigure"/> brings in is probed at once. Thread-safe.
/// </summary>
public sealed class EmbeddedEngine : IMeshEngine, IRegionEngine
{
    /// <summary>The fractions of its multiples spread over 0–1 more evenly than random numbers do.</summary>
    private const double GoldenRatioFraction = 0.6180339887498949;

    private readonly EngineOptions _options;
    private readonly TimeProvider _time;
    private readonly ulong _seed;
    private readonly ILogger _logger;
    private readonly EngineMetrics _metrics;
    private readonly EngineHttpHandlers _handlers;
    private readonly MonitorServices _services;
    private readonly EmbeddedRouter _router = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WakeableDelay _pause;
    private readonly Task _keeping;
    private readonly Lock _reconfiguring = new();
    private readonly List<Task> _stopping = [];
    private long _lastEpoch;
    private long _monitorsStarted;
    private bool _disposed;
    private ImmutableArray<string> _peers = [];
    private Action? _reportSooner;
    private volatile Func<ImmutableArray<PeerLinkSnapshot>>? _peerLinks;

    /// <summary>Starts an engine without pools.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="time">Clock of every decision and pause.</param>
    /// <param name="loggers">Where it logs; changes of state at Information.</param>
    /// <param name="seed">Decides how ties are broken.</param>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    public EmbeddedEngine(EngineOptions options, TimeProvider time, ILoggerFactory loggers, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(loggers);
        options.Validate();
        _options = options;
        _time = time;
        _seed = seed;
        _logger = loggers.CreateLogger<EmbeddedEngine>();
        _metrics = new EngineMetrics(this);
        _handlers = new EngineHttpHandlers(options.ConnectTimeout, options.Security);
        _services = new MonitorServices(options, time, _handlers, new EndpointProber(_handlers, options, time, _metrics), _metrics, _logger);

        // The wall clock rises from start to start, which is all that an epoch has to do.
        _lastEpoch = Math.Max(1, time.GetUtcNow().ToUnixTimeMilliseconds());
        Session = new GatewaySession(options.GatewayId, _lastEpoch);
        _pause = new WakeableDelay(time);
        _keeping = KeepAsync(_stop.Token);
    }

    /// <inheritdoc/>
    public IRouter Router => _router;

    /// <inheritdoc/>
    public GatewaySession Session { get; }

    /// <inheritdoc/>
    /// <exception cref="ObjectDisposedException">The engine has been stopped.</exception>
    public void Reconfigure(MeshConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        lock (_reconfiguring)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var before = _router.Pools;
            var after = new Dictionary<PoolId, PoolHost>();
            var started = new List<EndpointMonitor>();
            var stopped = new List<EndpointMonitor>();
            foreach (var pool in config.Pools.OrderBy(p => p.Id))
            {
                var host = before.GetValueOrDefault(pool.Id) ?? CreateHost(pool);
                host.Reconfigure(pool, Diff(pool, host, started, stopped));
                _stopping.AddRange(host.Feeds!.Reconfigure(pool));
                after[pool.Id] = host;
            }

            foreach (var (id, host) in before)
            {
                if (!after.ContainsKey(id)) stopped.AddRange(host.Monitors.Values);
            }

            PoolHost[] closed = [.. before.Where(p => !after.ContainsKey(p.Key)).Select(p => p.Value)];

            // Requests see the new pools before a probe can find anything out, and removed endpoints are left alone last.
            _router.Pools = after.ToFrozenDictionary();
            foreach (var host in closed)
            {
                host.Close();
                _stopping.AddRange(host.Feeds!.Stop());
            }
            foreach (var monitor in started) monitor.Start();
            Stop(stopped);
            EngineLog.Reconfigured(
                _logger, config.Version, after.Count, after.Values.Sum(h => h.Monitors.Count), started.Count, stopped.Count);
        }
    }

    /// <inheritdoc/>
    public ImmutableArray<ExplainedDecision> Decisions(PoolId? pool, string? requestId, int limit)
    {
        var pools = _router.Pools;
        if (pool is { } id) return pools.TryGetValue(id, out var host) ? host.Decisions(requestId, limit) : [];
        // Equal times are told apart by the pool, so that the order is always the same.
        return [.. pools.OrderBy(p => p.Key).SelectMany(p => p.Value.Decisions(requestId, limit)).OrderByDescending(d => d.Timestamp).Take(limit)];
    }

    /// <inheritdoc/>
    public ImmutableArray<LeaseSnapshot> Leases(PoolId? pool, EndpointId? endpoint, GatewaySession? session, int limit)
    {
        var found = ImmutableArray.CreateBuilder<LeaseSnapshot>();
        foreach (var (id, host) in _router.Pools.OrderBy(p => p.Key))
        {
            if (pool is { } wanted && id != wanted) continue;
            if (found.Count >= limit) break;
            found.AddRange(host.Leases(endpoint, session, limit - found.Count));
        }

        return found.ToImmutable();
    }

    /// <inheritdoc/>
    public void ReportLoad(PoolId pool, EndpointId endpoint, in OrcaReport report)
    {
        if (!_router.Pools.TryGetValue(pool, out var host)) return;
        host.Reported(new EndpointReport
        {
            Endpoint = endpoint,
            Timestamp = _time.GetTimestamp(),
            KvUtilizationRatio = report.KvUtilizationRatio,
            RunningRequests = report.RunningRequests,
            WaitingRequests = report.WaitingRequests,
            ApplicationUtilizationRatio = report.ApplicationUtilizationRatio,
            CpuUtilizationRatio = report.CpuUtilizationRatio,
        });
    }

    /// <inheritdoc/>
    public ImmutableArray<PoolSnapshot> Snapshot() => [.. _router.Pools.OrderBy(p => p.Key).Select(p => p.Value.Snapshot())];

    /// <inheritdoc/>
    public ImmutableArray<PeerLinkSnapshot> Peers()
    {
        if (_peerLinks?.Invoke() is not { IsEmpty: false } links) return [];
        var pools = Snapshot();
        var peers = ImmutableArray.CreateBuilder<PeerLinkSnapshot>(links.Length);
        foreach (var link in links)
        {
            var (credits, forwarded) = (0.0, 0);
            foreach (var seen in pools.SelectMany(p => p.Peers).Where(p => p.Region == link.Region))
            {
                credits += seen.Credits;
                forwarded += seen.InFlight;
            }

            peers.Add(link with { Credits = credits, Forwarded = forwarded });
        }

        return peers.MoveToImmutable();
    }

    /// <inheritdoc/>
    public void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot)
    {
        ArgumentNullException.ThrowIfNull(reportSooner);
        ArgumentNullException.ThrowIfNull(snapshot);
        lock (_reconfiguring)
        {
            (_peers, _reportSooner, _peerLinks) = (regions, reportSooner, snapshot);
            foreach (var host in _router.Pools.Values) host.Peers.Set(regions, reportSooner);
        }
    }

    /// <inheritdoc/>
    public ImmutableArray<PoolReport> BuildReport(string receiver) => [.. _router.Pools.OrderBy(p => p.Key).Select(p => p.Value.Peers.BuildReport(receiver))];

    /// <inheritdoc/>
    public void ApplyPeer(RegionReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        foreach (var (id, host) in _router.Pools)
        {
            PoolReport? part = null;
            foreach (var candidate in report.Pools)
            {
                if (candidate.Pool == id) part = candidate;
            }

            host.Peers.Apply(report, part);
        }
    }

    /// <inheritdoc/>
    public void PeerLost(string region)
    {
        foreach (var host in _router.Pools.Values) host.Peers.Lost(region);
    }

    /// <inheritdoc/>
    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
        foreach (var host in _router.Pools.Values) host.Peers.ApplyRoundTrip(region, roundTrip);
    }

    /// <summary>Stops probing and scraping. Requests can still be placed and completed; nothing is learnt any more.</summary>
    public async ValueTask DisposeAsync()
    {
        Task[] ending;
        lock (_reconfiguring)
        {
            if (_disposed) return;
            _disposed = true;
            Stop(_router.Pools.Values.SelectMany(h => h.Monitors.Values));
            _stopping.AddRange(_router.Pools.Values.SelectMany(h => h.Feeds!.Stop()));
            ending = [.. _stopping];
        }

        await _stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(ending).ConfigureAwait(false);
        await _keeping.ConfigureAwait(false);
        _pause.Dispose();
        _stop.Dispose();
        _handlers.Dispose();
        _metrics.Dispose();
    }

    private PoolHost CreateHost(PoolConfig pool)
    {
        var options = _options.Pool with { Epoch = ++_lastEpoch, SampleMaxAge = _options.SampleMaxAge };
        var seed = PoolSeed.Of(_seed, pool.Id);
        var host = new PoolHost(new PoolState(pool, _time, seed, options), _pause.Wake);
        host.Feeds = new PoolFeeds(host.Cache, seed, _services);
        if (_reportSooner is { } sooner) host.Peers.Set(_peers, sooner);
        return host;
    }

    private FrozenDictionary<EndpointId, EndpointMonitor> Diff(
        PoolConfig pool, PoolHost host, List<EndpointMonitor> started, List<EndpointMonitor> stopped)
    {
        var monitors = new Dictionary<EndpointId, EndpointMonitor>();
        foreach (var endpoint in pool.Backends.SelectMany(b => b.Endpoints).OrderBy(e => e.Id))
        {
            if (monitors.ContainsKey(endpoint.Id)) continue;
            var target = new MonitorTarget(pool.Id, endpoint, pool.HealthCheck);
            if (host.Monitors.TryGetValue(endpoint.Id, out var monitor))
            {
                monitor.Update(target);
            }
            else
            {
                var phase = ++_monitorsStarted * GoldenRatioFraction % 1;
                monitor = new EndpointMonitor(target, phase, host, _services);
                started.Add(monitor);
            }

            monitors.Add(endpoint.Id, monitor);
        }

        stopped.AddRange(host.Monitors.Where(m => !monitors.ContainsKey(m.Key)).Select(m => m.Value));
        return monitors.ToFrozenDictionary();
    }

    private void Stop(IEnumerable<EndpointMonitor> monitors)
    {
        _stopping.RemoveAll(t => t.IsCompleted);
        foreach (var monitor in monitors)
        {
            monitor.Stop();
            _stopping.Add(monitor.Completion);
        }
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        var least = TimeSpan.FromMilliseconds(10);
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = _options.HeartbeatInterval;
            foreach (var (id, pool) in _router.Pools)
            {
                try
                {
                    if (pool.Keep(Session) is { } next && next < wait) wait = next;
                }
                catch (Exception e)
                {
                    EngineLog.KeepingFailed(_logger, e, id);
                }
            }

            // A request that has just begun to wait may need the next tick sooner.
            await ((Task)_pause.WaitAsync(wait < least ? least : wait, cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
