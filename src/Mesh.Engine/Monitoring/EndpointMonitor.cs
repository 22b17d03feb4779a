using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Engine.Http;
using Mesh.Engine.Models;
using Mesh.Engine.Probing;
using Mesh.Engine.Scraping;
using Mesh.Engine.Telemetry;

namespace Mesh.Engine.Monitoring;

/// <summary>
/// Looks after one endpoint of one pool with three loops of its own: probes, scrapes and model lists. None overlaps with itself, none waits
/// for another, and none ends before <see cref="Stop"/>.
/// </summary>
internal sealed class EndpointMonitor
{
    private static readonly TimeSpan FirstListRetry = TimeSpan.FromSeconds(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly MonitorServices _services;
    private readonly IEndpointObserver _observer;
    private readonly double _phase;
    private readonly WakeableDelay _probeDelay;
    private readonly WakeableDelay _scrapeDelay;
    private readonly WakeableDelay _listDelay;
    private volatile MonitorTarget _target;
    private volatile EndpointHealth _health;
    private volatile bool _suspected;
    private volatile bool _resting;
    private volatile bool _placed;

    /// <param name="target">What to look after.</param>
    /// <param name="phase">Between 0 and 1, another one for each endpoint: where in the interval it is scraped.</param>
    /// <param name="observer">Hears what is found.</param>
    /// <param name="services">Shared by all monitors.</param>
    public EndpointMonitor(MonitorTarget target, double phase, IEndpointObserver observer, MonitorServices services)
    {
        _target = target;
        _phase = phase;
        _observer = observer;
        _services = services;
        _probeDelay = new WakeableDelay(services.Time);
        _scrapeDelay = new WakeableDelay(services.Time);
        _listDelay = new WakeableDelay(services.Time);
    }

    /// <summary>Ends when all loops have, which is soon after <see cref="Stop"/>.</summary>
    public Task Completion { get; private set; } = Task.CompletedTask;

    private EndpointId Id => _target.Endpoint.Id;

    public void Start()
    {
        Completion = RunAllAsync();

        async Task RunAllAsync()
        {
            await Task.WhenAll(GuardAsync(ProbeLoopAsync), GuardAsync(ScrapeLoopAsync), GuardAsync(ListLoopAsync)).ConfigureAwait(false);
            _probeDelay.Dispose();
            _scrapeDelay.Dispose();
            _listDelay.Dispose();
            _stop.Dispose();
        }
    }

    /// <summary>Ends the loops and what they are at. Called once.</summary>
    public void Stop() => _stop.Cancel();

    /// <summary>Goes on with other settings for the same endpoint.</summary>
    public void Update(MonitorTarget target)
    {
        var before = _target;
        _target = target;
        if (before.HealthCheck != target.HealthCheck) _probeDelay.Wake();
    }

    /// <summary>A request has failed to reach the endpoint: have a look, soon and not only at the interval.</summary>
    public void Suspect()
    {
        if (_health != EndpointHealth.Healthy || _suspected) return;
        _suspected = true;
        _probeDelay.Wake();
    }

    /// <summary>A request has been sent there. Cheap while the endpoint does not rest.</summary>
    public void Placed()
    {
        if (!_resting) return;
        _resting = false;
        _placed = true;
        _scrapeDelay.Wake();
    }

    private async Task ProbeLoopAsync(CancellationToken cancellationToken)
    {
        var schedule = new ProbeSchedule(_services.Options.QuickProbeInterval, _services.Options.QuickProbeLimit, _phase);
        while (true)
        {
            var started = _services.Time.GetTimestamp();
            var target = _target;
            // Cleared before the probe: a request that fails while it runs asks for another one.
            if (_suspected) schedule.Suspect();
            _suspected = false;
            var failure = await _services.Prober.ProbeAsync(Id, target.HealthCheck, cancellationToken).ConfigureAwait(false);
            var transition = _observer.Probed(new ProbeResult(Id, _services.Time.GetTimestamp(), failure.Kind == IoFailureKind.None));
            Tell(target, transition, failure);

            var delay = schedule.Next(target.HealthCheck.Interval, Since(started), transition.After, failure.Kind == IoFailureKind.None);
            if (!await _probeDelay.WaitAsync(delay, cancellationToken).ConfigureAwait(false)) continue;
            // Woken: now, unless the last probe was only just.
            await Task.Delay(schedule.Extra(Since(started)), _services.Time, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task ScrapeLoopAsync(CancellationToken cancellationToken)
    {
        var options = _services.Options;
        using var scraper = new EndpointScraper(Id, options, _services.Time, _services.Metrics);
        var schedule = new ScrapeSchedule(options.ScrapeInterval, options.ScrapeBackOffLimit, _phase);
        var origin = _services.Time.GetTimestamp();
        var failing = false;
        var delay = schedule.First;
        while (true)
        {
            if (await _scrapeDelay.WaitAsync(delay, cancellationToken).ConfigureAwait(false))
            {
                schedule.Reset();
                if (_placed)
                {
                    // The request is on its way: a page that was read now would not know of it yet.
                    _placed = false;
                    scraper.Pace.Begin();
                    delay = schedule.Next(Since(origin), scraper.Pace.Interval, success: true);
                    continue;
                }
            }

            var (sample, failure) = await scraper.ScrapeAsync(_target.Endpoint, cancellationToken).ConfigureAwait(false);
            if (sample is not null) _observer.Sampled(sample);

            var failed = failure.Kind != IoFailureKind.None;
            if (failed != failing)
            {
                if (failed) EngineLog.ScrapeFails(_services.Logger, Id, _target.Pool, failure.Message);
                else EngineLog.ScrapeWorks(_services.Logger, Id, _target.Pool);
                failing = failed;
            }

            // One page of several is enough to keep the pace: its values are wanted fresh.
            delay = schedule.Next(Since(origin), scraper.Pace.Interval, sample is not null);
            _resting = scraper.Pace.IsResting;
        }
    }

    private async Task ListLoopAsync(CancellationToken cancellationToken)
    {
        var options = _services.Options;
        var lister = new ModelLister(Id, _services.Handlers.ModelLists, options, _services.Time, _services.Metrics);
        var retry = FirstListRetry;
        var failing = false;
        var delay = options.ModelListInterval;
        while (true)
        {
            await _listDelay.WaitAsync(delay, cancellationToken).ConfigureAwait(false);
            delay = options.ModelListInterval;
            if (_health != EndpointHealth.Healthy) continue;

            var (models, failure) = await lister.ListAsync(cancellationToken).ConfigureAwait(false);
            if (failure.Kind == IoFailureKind.None)
            {
                _observer.Listed(Id, models);
                retry = FirstListRetry;
                failing = false;
                continue;
            }

            // What it listed before goes on counting: a list that cannot be read is no reason to forget the models.
            if (!failing) EngineLog.ListFails(_services.Logger, Id, _target.Pool, failure.Message);
            failing = true;
            delay = retry < delay ? retry : delay;
            retry = delay * 2;
        }
    }

    private void Tell(MonitorTarget target, HealthTransition transition, IoFailure failure)
    {
        if (target.HealthCheck.LogProbes) EngineLog.Probed(_services.Logger, Id, target.Pool, failure.Message);
        var before = _health;
        _health = transition.After;
        // By this monitor's own memory: an endpoint that came back while it drained was healthy all the time, but is new to this monitor.
        if (before != EndpointHealth.Healthy && transition.After == EndpointHealth.Healthy)
        {
            _scrapeDelay.Wake();
            _listDelay.Wake();
        }

        if (!transition.Changed) return;
        _services.Metrics.HealthChanged(transition.After);
        if (transition.After == EndpointHealth.Healthy) EngineLog.Healthy(_services.Logger, Id, target.Pool, transition.Before);
        else EngineLog.Unhealthy(_services.Logger, Id, target.Pool, transition.Before, failure.Message);
    }

    private TimeSpan Since(long timestamp) => _services.Time.GetElapsedTime(timestamp);

    /// <summary>Keeps a loop going through failures that nobody foresaw: an endpoint without its prober would be lost without a word.</summary>
    private async Task GuardAsync(Func<CancellationToken, Task> loop)
    {
        // The token is taken once: the source is disposed of when the loops have ended.
        var cancellationToken = _stop.Token;
        await Task.Yield();
        while (true)
        {
            try
            {
                await loop(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                EngineLog.LoopFailed(_services.Logger, e, Id, _target.Pool);
            }

            try
            {
                await Task.Delay(TimeSpan.FromSeconds(1), _services.Time, cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
