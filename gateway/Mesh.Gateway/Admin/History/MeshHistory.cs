using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Snapshots;
using Mesh.Engine;
using Mesh.Gateway.Admin.Shapes;
using Mesh.Gateway.Admin.Views;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Metrics;

namespace Mesh.Gateway.Admin.History;

/// <summary>The last quarter of an hour of every backend in steps of 5 s, at most <see cref="MaxRings"/> of them. Thread-safe.</summary>
internal sealed partial class MeshHistory : IDisposable
{
    /// <summary>Time between two values.</summary>
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>Most backends and pools that have a history, 6 KiB each; those beyond, in the order of their ids, have none.</summary>
    public const int MaxRings = 1024;

    // 15 s: a curve that shows a spike as one, with enough requests for a percentile.
    private const int CurveSteps = 3;

    private readonly IMeshEngine _engine;
    private readonly ActiveConfiguration _configuration;
    private readonly BackendLatencies _latencies;
    private readonly FlowRates _flows;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly SortedDictionary<(PoolId Pool, BackendId Backend), HistoryRing> _rings = [];
    private readonly ITimer _timer;
    private long _step = -1;
    private long _steppedAt;
    private DateTimeOffset _stepTime;

    public MeshHistory(IMeshEngine engine, ActiveConfiguration configuration, GatewayMetrics metrics, TimeProvider time, ILoggerFactory loggers)
    {
        _log = loggers.CreateLogger<MeshHistory>();
        _engine = engine;
        _configuration = configuration;
        _latencies = metrics.Latencies;
        _flows = new FlowRates(metrics.Decisions, metrics.Federation.Forwarded);
        _time = time;
        Step();
        _timer = time.CreateTimer(_ => TryStep(), null, Interval, Interval);
    }

    /// <summary>Flows of the last step.</summary>
    public ImmutableArray<FlowShape> Flows => _flows.Current;

    /// <summary>Number of the last step, from 0.</summary>
    public long LastStep
    {
        get
        {
            lock (_gate) return _step;
        }
    }

    /// <summary>The values after a step.</summary>
    /// <param name="pool">Pool; null for all.</param>
    /// <param name="since">Steps up to this one are left out; null for none.</param>
    public HistoryShape Read(PoolId? pool, long? since)
    {
        lock (_gate)
        {
            var from = Math.Max(since + 1 ?? 0, _step - HistoryRing.Length + 1);
            from = Math.Clamp(from, 0, _step + 1);
            var backends = ImmutableArray.CreateBuilder<BackendHistoryShape>();
            foreach (var (key, ring) in _rings)
            {
                if (pool is { } wanted && key.Pool != wanted) continue;
                backends.Add(new BackendHistoryShape
                {
                    Pool = key.Pool.ToString(),
                    Backend = key.Backend.Cluster is null ? "" : key.Backend.ToString(),
                    InFlightRequests = ring.Read(Measure.InFlightRequests, from, _step),
                    RequestsPerSecond = ring.Read(Measure.RequestsPerSecond, from, _step),
                    Fullness = ring.Read(Measure.Fullness, from, _step),
                    QueuedRequests = ring.Read(Measure.QueuedRequests, from, _step),
                    FirstTokenP50Ms = ring.Read(Measure.FirstTokenP50Ms, from, _step),
                    FirstTokenP95Ms = ring.Read(Measure.FirstTokenP95Ms, from, _step),
                    OutputTokenP50Ms = ring.Read(Measure.OutputTokenP50Ms, from, _step),
                    OutputTokenP95Ms = ring.Read(Measure.OutputTokenP95Ms, from, _step),
                });
            }

            return new HistoryShape { StepSeconds = Interval.TotalSeconds, Last = _step, Time = _stepTime, Backends = backends.ToImmutable() };
        }
    }

    public void Dispose() => _timer.Dispose();

    private void TryStep()
    {
        try
        {
            Step();
        }
        catch (Exception e)
        {
            // A gap in the curves must not end the gateway.
            StepFailed(_log, e);
        }
    }

    private void Step()
    {
        var pools = _engine.Snapshot();
        lock (_gate)
        {
            var now = _time.GetTimestamp();
            _flows.Step(_configuration.Current.Region, RegionOf, _step < 0 ? TimeSpan.Zero : _time.GetElapsedTime(_steppedAt, now));
            _step++;
            _steppedAt = now;
            _stepTime = _time.GetUtcNow();
            var wanted = new HashSet<(string, BackendId)>();
            foreach (var pool in pools)
            {
                WriteQueue(pool);
                foreach (var backend in pool.Backends)
                {
                    wanted.Add((pool.Id.ToString(), backend.Id));
                    Write(pool, backend);
                }
            }

            Forget();
            // Last: a step's percentiles are those of what came up to now.
            _latencies.Step();
            _latencies.Keep(wanted);
        }
    }

    // A pool's queue stands under no backend.
    private void WriteQueue(PoolSnapshot pool)
    {
        if (RingOf((pool.Id, default)) is not { } ring) return;
        var queued = 0;
        foreach (var band in pool.Queue) queued += band.Requests;
        ring.Write(_step, [null, null, null, queued, null, null, null, null]);
    }

    private void Write(PoolSnapshot pool, BackendSnapshot backend)
    {
        if (RingOf((pool.Id, backend.Id)) is not { } ring) return;
        var label = pool.Id.ToString();
        var first = _latencies.FirstToken(label, backend.Id, CurveSteps);
        var each = _latencies.OutputToken(label, backend.Id, CurveSteps);
        var waiting = 0;
        foreach (var endpoint in backend.Endpoints) waiting += endpoint.WaitingRequests;
        ring.Write(
            _step,
            [backend.InFlightRequests, Rounded.To3(backend.RequestsPerSecond), Rounded.To3(backend.Fullness), waiting, first?.P50Ms, first?.P95Ms, each?.P50Ms, each?.P95Ms]);
    }

    private HistoryRing? RingOf((PoolId Pool, BackendId Backend) key)
    {
        if (_rings.TryGetValue(key, out var known)) return known;
        if (_rings.Count >= MaxRings) return null;
        var made = new HistoryRing();
        _rings.Add(key, made);
        return made;
    }

    // What has been gone for a quarter of an hour has nothing left to show.
    private void Forget()
    {
        foreach (var key in _rings.Where(r => r.Value.Last <= _step - HistoryRing.Length).Select(r => r.Key).ToArray()) _rings.Remove(key);
    }

    [LoggerMessage(1, LogLevel.Error, "A step of the dashboard's history failed; it has a gap.")]
    private static partial void StepFailed(ILogger log, Exception e);

    private string RegionOf(string peer) => _engine.Peers().FirstOrDefault(p => p.Name == peer)?.Region ?? peer;
}
