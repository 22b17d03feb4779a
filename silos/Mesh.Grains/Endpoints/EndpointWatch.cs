using System.Collections.Immutable;
using System.Runtime.InteropServices;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Engine.Monitoring;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;

namespace Mesh.Grains.Endpoints;

/// <summary>
/// The monitor of one endpoint for one pool, its verdict, and what the pool has not been told yet. One message is under way at a time; what comes
/// meanwhile is told together, the newest of each kind. Thread-safe: the monitor's loops call from any thread.
/// </summary>
internal sealed class EndpointWatch : IEndpointObserver
{
    // Two shards that do not know of the same map yet may name each other: then it pauses.
    private const int MostFollows = 2;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(200);
    private readonly Lock _gate = new();
    private readonly SiloMesh _mesh;
    private readonly Func<int, IPoolGrain> _shards;
    private IPoolGrain _pool;
    private int _shard;
    private readonly CancellationTokenSource _stop = new();
    private MonitorTarget _target;
    private HealthTracker _tracker;
    private EndpointSample? _sample;
    private string[]? _models;
    private News _untold;
    private bool _telling;
    private long _toldEpoch;
    private int _follows;

    private EndpointWatch(MonitorTarget target, SiloMesh mesh, Func<int, IPoolGrain> shards)
    {
        _target = target;
        _mesh = mesh;
        _shards = shards;
        _pool = shards(0);
        Monitor = new EndpointMonitor(target, mesh.NextPhase(), this, mesh.Monitors);
    }

    [Flags]
    private enum News
    {
        None = 0,
        Health = 1,
        Sample = 2,
        Models = 4,
        All = Health | Sample | Models,
    }

    /// <summary>The monitor.</summary>
    public EndpointMonitor Monitor { get; }

    /// <summary>Whether its probes say that it is healthy.</summary>
    public bool IsHealthy
    {
        get
        {
            lock (_gate) return _tracker.Verdict == EndpointHealth.Healthy;
        }
    }

    /// <summary>Age of its newest sample; null before the first.</summary>
    public TimeSpan? SampleAge
    {
        get
        {
            lock (_gate) return _sample is null ? null : _mesh.Time.GetElapsedTime(_sample.Timestamp);
        }
    }

    private EndpointId Id => _target.Endpoint.Id;

    /// <summary>Begins to look after an endpoint.</summary>
    /// <param name="target">The endpoint.</param>
    /// <param name="mesh">What the silo's grains share.</param>
    /// <param name="shards">The pool's grain by the number of the shard: news goes to the one that has the endpoint.</param>
    public static EndpointWatch Start(MonitorTarget target, SiloMesh mesh, Func<int, IPoolGrain> shards)
    {
        var watch = new EndpointWatch(target, mesh, shards);
        if (mesh.Options.KeepsTime) watch.Monitor.Start();
        return watch;
    }

    /// <summary>Goes on with other settings.</summary>
    public void Update(MonitorTarget target)
    {
        _target = target;
        Monitor.Update(target);
    }

    /// <summary>Ends it. Called once.</summary>
    public void Stop()
    {
        Monitor.Stop();
        _stop.Cancel();
    }

    /// <summary>All that is known now.</summary>
    public EndpointNews Everything()
    {
        lock (_gate) return Write(News.All);
    }

    public HealthTransition Probed(ProbeResult result)
    {
        HealthTransition transition;
        lock (_gate)
        {
            var before = _tracker.Verdict;
            var check = _target.HealthCheck;
            transition = new HealthTransition(before, _tracker.Observe(result.Success, check.HealthyThreshold, check.UnhealthyThreshold));
        }

        if (transition.Changed) Tell(News.Health);
        return transition;
    }

    public void Sampled(EndpointSample sample)
    {
        lock (_gate) _sample = sample;
        Tell(News.Sample);
    }

    public void Listed(EndpointId endpoint, ImmutableArray<string> models)
    {
        lock (_gate) _models = ImmutableCollectionsMarshal.AsArray(models);
        Tell(News.Models);
    }

    private void Tell(News news)
    {
        lock (_gate)
        {
            _untold |= news;
            if (_telling) return;
            _telling = true;
        }

        _ = TellAsync();
    }

    private async Task TellAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            News untold;
            EndpointNews message;
            lock (_gate)
            {
                untold = _untold;
                _untold = News.None;
                if (untold == News.None)
                {
                    _telling = false;
                    return;
                }
                message = Write(untold);
            }

            try
            {
                var reply = await _pool.Learn(message).ConfigureAwait(false);
                lock (_gate)
                {
                    // A pool that has begun anew, or that did not have the endpoint yet, has to hear everything.
                    if (reply.IsKnown && _toldEpoch == reply.Epoch) continue;
                    _untold |= untold == News.All ? News.None : News.All;
                    _toldEpoch = reply.IsKnown ? reply.Epoch : 0;
                    if (reply.IsKnown || Follow(reply)) continue;
                }
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                // Its silo may have died: the pool will be back elsewhere, and know nothing.
                lock (_gate) _untold |= News.All;
            }

            await Task.Delay(RetryPause, _mesh.Time, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    // The endpoint may belong to another shard.
    private bool Follow(LearnReply reply)
    {
        var owner = reply.Shards.ToMap().OwnerOf(Id);
        if (owner == _shard) return false;
        (_shard, _pool, _untold) = (owner, _shards(owner), News.All);
        return ++_follows % MostFollows != 0;
    }

    private EndpointNews Write(News news)
    {
        var sample = (news & News.Sample) != 0 ? _sample : null;
        return new EndpointNews
        {
            Endpoint = Id,
            Health = (news & News.Health) != 0 && _tracker.Verdict != EndpointHealth.Unknown ? _tracker.Verdict : null,
            Models = (news & News.Models) != 0 ? _models : null,
            Sample = sample,
            SampleAgeTicks = sample is null ? 0 : Ages.Of(sample.Timestamp, _mesh.Time),
            IsResting = _sample?.MaxAge > _mesh.Options.Engine.SampleMaxAge,
        };
    }
}
