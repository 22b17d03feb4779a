using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Simulation.Faults.Processes;

/// <summary>Looks after one endpoint for one pool as the engine's monitor does: probes, and readings of its metrics page.</summary>
internal sealed class EndpointWatch(FaultWorld world, PoolRun pool, EndpointProcess endpoint, int region)
{
    private const double ScrapeMs = 200;
    private const double ScrapeTimeoutMs = 1000;
    private const double QuickProbeMs = 200;
    private const double ListMs = 500;
    private bool _stopped;
    private bool _probing;
    private bool _suspected;
    private int _probe;

    private Timeline Time => world.Time;

    private bool IsOver => _stopped || !pool.IsAlive;

    public void Start(double phase)
    {
        Probe();
        Time.After(ScrapeMs * phase, Scrape);
        if (world.Plan.Models > 0) Time.After(ListMs * phase, List);
    }

    public void Stop() => _stopped = true;

    /// <summary>A request has failed to reach it: have a look at once.</summary>
    public void Suspect()
    {
        if (_suspected) return;
        _suspected = true;
        if (!_probing) Probe();
    }

    private void Probe()
    {
        if (IsOver || _probing) return;
        _probing = true;
        _suspected = false;
        var number = ++_probe;
        var startedMs = Time.NowMs;
        world.Send(region, endpoint.Region, () => endpoint.Receive(() =>
        {
            var success = endpoint.IsUp;
            world.Send(endpoint.Region, region, () => Probed(number, success, startedMs));
        }));
        Time.After(pool.Config.HealthCheck.Timeout.TotalMilliseconds, () => Probed(number, false, startedMs));
    }

    private void Probed(int number, bool success, double startedMs)
    {
        if (IsOver || !_probing || number != _probe) return;
        _probing = false;
        pool.Probed(new ProbeResult(endpoint.Id, Time.Clock.GetTimestamp(), success));
        // A doubtful endpoint is looked at more often than a settled one.
        var waitMs = _suspected || !success ? QuickProbeMs : pool.Config.HealthCheck.Interval.TotalMilliseconds - (Time.NowMs - startedMs);
        if (success && number < pool.Config.HealthCheck.HealthyThreshold) waitMs = Math.Min(waitMs, QuickProbeMs);
        Time.After(Math.Max(1, waitMs), () =>
        {
            if (number == _probe) Probe();
        });
    }

    private void Scrape()
    {
        if (IsOver) return;
        Time.After(ScrapeMs, Scrape);
        var askedMs = Time.NowMs;
        world.Send(region, endpoint.Region, () => endpoint.Receive(() =>
        {
            if (!endpoint.IsUp || endpoint.MetricsMissing > 0) return;
            var sample = Read();
            var late = endpoint.MetricsLate > 0 && world.Random.NextInt32(2) == 0;
            Time.After(late ? world.Random.NextInt32(1500) : 0, () => world.Send(endpoint.Region, region, () =>
            {
                if (!IsOver && (late || Time.NowMs - askedMs < ScrapeTimeoutMs)) pool.Sampled(sample);
            }));
        }));
    }

    // What a server lists is asked for again and again: adapters come and go.
    private void List()
    {
        if (IsOver) return;
        Time.After(ListMs, List);
        world.Send(region, endpoint.Region, () => endpoint.Receive(() =>
        {
            if (!endpoint.IsUp) return;
            var models = endpoint.Models;
            world.Send(endpoint.Region, region, () =>
            {
                if (!IsOver) pool.Listed(endpoint.Id, models);
            });
        }));
    }

    private EndpointSample Read() => new()
    {
        Endpoint = endpoint.Id,
        Timestamp = Time.Clock.GetTimestamp(),
        KvUtilizationRatio = endpoint.MetricsPartial > 0 ? null : endpoint.KvUtilizationRatio,
        RunningRequests = endpoint.MetricsPartial > 0 ? null : endpoint.Running,
        WaitingRequests = endpoint.MetricsPartial > 0 ? null : endpoint.Waiting,
        KvCapacityTokens = endpoint.MetricsPartial > 0 ? null : 9600,
        EngineStarted = endpoint.MetricsPartial > 0 ? null : endpoint.StartedAt,
        IsAsleep = endpoint.IsAsleep,
    };
}
