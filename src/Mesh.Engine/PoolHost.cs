using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Engine.Monitoring;

namespace Mesh.Engine;

/// <summary>One pool's state behind one lock, and the monitors that feed it. Thread-safe, but for <see cref="Reconfigure"/>, whose calls the engine serializes.</summary>
internal sealed class PoolHost : IEndpointObserver
{
    private readonly LockedPool _pool;
    private readonly PoolState _state;
    private readonly Lock _gate;
    private readonly WaitingRoutes _waiting;
    private bool _closed;
    private volatile FrozenDictionary<EndpointId, EndpointMonitor> _monitors = FrozenDictionary<EndpointId, EndpointMonitor>.Empty;

    /// <summary>Takes charge of a pool's state, which nobody else uses from now on.</summary>
    /// <param name="state">The _state.</param>
    /// <param name="wake">Called when the time has to be looked at sooner than the pool said.</param>
    public PoolHost(PoolState state, Action wake)
    {
        _pool = new LockedPool(state, wake);
        (_state, _gate, _waiting) = (state, _pool.Gate, _pool.Waiting);
        Peers = new PoolPeers(_pool);
        Cache = new PoolCacheTarget(_pool);
    }

    /// <summary>What it and its peer regions tell each other.</summary>
    public PoolPeers Peers { get; }

    /// <summary>What it learns of its endpoints' caches.</summary>
    public PoolCacheTarget Cache { get; }

    /// <summary>Monitors of the endpoints that the configuration names; empty where others look after them.</summary>
    public FrozenDictionary<EndpointId, EndpointMonitor> Monitors => _monitors;

    /// <summary>Who else is to be told what becomes of requests, where the endpoints' monitors run elsewhere; null without.</summary>
    public IEndpointListener? Listener { get; set; }

    /// <summary>Leases outstanding.</summary>
    public int LeasesOut
    {
        get
        {
            lock (_gate) return _state.LeaseCount;
        }
    }

    /// <summary>Callers that wait for a decision: those that have it already and have not heard of it do not count.</summary>
    public int WaitingCalls
    {
        get
        {
            lock (_gate) return _waiting.Count;
        }
    }

    /// <summary>Subscriptions to the endpoints' cache events; set once, when the pool is made.</summary>
    public PoolFeeds? Feeds { get; set; }

    /// <summary>Places a request, at once or after a wait.</summary>
    /// <exception cref="OperationCanceledException">The caller left while its request waited.</exception>
    public ValueTask<RouteDecision> RouteAsync(in RouteRequest request, CancellationToken cancellationToken)
    {
        RouteDecision decision;
        Task<RouteDecision>? waiting = null;
        Action? sooner;
        Answers answers;
        lock (_gate)
        {
            // Whoever found the pool before it was removed would wait where nobody looks any more.
            if (_closed) return new ValueTask<RouteDecision>(RouteDecision.Refuse(DecisionReason.UnknownPool));
            decision = _state.Route(in request);
            answers = _waiting.Collect();
            if (decision.Kind == RouteKind.Wait) waiting = _waiting.Add(decision.Ticket);
            sooner = _pool.Sooner;
        }

        _pool.Finish(answers);
        sooner?.Invoke();
        if (waiting is null)
        {
            Placed(in decision);
            return new ValueTask<RouteDecision>(decision);
        }

        return new ValueTask<RouteDecision>(WaitAsync(waiting, decision.Ticket, cancellationToken));
    }

    public void ReportFirstByte(LeaseId lease)
    {
        Answers answers;
        lock (_gate)
        {
            _state.ReportFirstByte(lease);
            answers = _waiting.Collect();
        }

        _pool.Finish(answers);
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        bool ended;
        EndpointId endpoint;
        Action? sooner;
        Answers answers;
        lock (_gate)
        {
            ended = _state.Complete(lease, in outcome, out endpoint);
            answers = _waiting.Collect();
            sooner = _pool.Sooner;
        }

        _pool.Finish(answers);
        sooner?.Invoke();

        // A dead endpoint should leave with the first request that it fails, not with the second probe after that.
        if (!ended || outcome.Kind is not (OutcomeKind.ConnectFailure or OutcomeKind.StreamBroken)) return;
        if (_monitors.TryGetValue(endpoint, out var monitor)) monitor.Suspect();
        Listener?.Suspected(endpoint);
    }

    /// <summary>Endpoints that are healthy and take requests.</summary>
    public int ReadyEndpoints
    {
        get
        {
            lock (_gate) return _state.ReadyEndpoints;
        }
    }

    /// <summary>An endpoint has come from another part of the pool: see <see cref="PoolState.ApplyServedBefore"/>.</summary>
    public void ServedBefore(EndpointId endpoint)
    {
        lock (_gate) _state.ApplyServedBefore(endpoint);
    }

    /// <summary>Takes a new configuration and the monitors that go with it.</summary>
    public void Reconfigure(PoolConfig config, FrozenDictionary<EndpointId, EndpointMonitor> monitors)
    {
        _pool.Change(config, static (state, config) => state.Reconfigure(config));
        _monitors = monitors;
    }

    /// <summary>The pool is gone: nobody may wait for it any longer.</summary>
    public void Close()
    {
        Answers answers;
        lock (_gate)
        {
            _closed = true;
            answers = _waiting.RefuseAll(DecisionReason.UnknownPool);
        }

        _pool.Finish(answers);
    }

    /// <summary>Keeps a session alive and takes back what silent ones held; returns when that makes sense again.</summary>
    public TimeSpan? Keep(GatewaySession session) => Tick(session);

    /// <summary>Keeps a session alive. False when it has to announce what it holds: see <see cref="PoolState.Heartbeat"/>.</summary>
    public bool Heartbeat(GatewaySession session)
    {
        lock (_gate) return _state.Heartbeat(session);
    }

    /// <summary>Takes over what a session holds from an earlier state: see <see cref="PoolState.Announce"/>.</summary>
    public int Announce(GatewaySession session, ReadOnlySpan<HeldLease> held)
    {
        lock (_gate) return _state.Announce(session, held);
    }

    /// <summary>Lets time pass for sessions and waits; returns when that makes sense again.</summary>
    public TimeSpan? Tick() => Tick(session: null);

    /// <summary>Takes over a verdict that was reached elsewhere.</summary>
    public HealthTransition Judged(EndpointId endpoint, EndpointHealth verdict) =>
        _pool.Change((endpoint, verdict), static (state, with) => state.ApplyHealth(with.endpoint, with.verdict));

    /// <summary>Decisions that were kept, the newest first.</summary>
    public ImmutableArray<ExplainedDecision> Decisions(string? requestId, int limit)
    {
        lock (_gate) return _state.Decisions(requestId, limit);
    }

    /// <summary>Leases that are out.</summary>
    public ImmutableArray<LeaseSnapshot> Leases(EndpointId? endpoint, GatewaySession? session, int limit)
    {
        lock (_gate) return _state.Leases(endpoint, session, limit);
    }

    public PoolSnapshot Snapshot()
    {
        lock (_gate) return _state.Snapshot();
    }

    public HealthTransition Probed(ProbeResult result)
    {
        HealthTransition transition;
        Action? sooner;
        Answers answers;
        lock (_gate)
        {
            transition = _state.Apply(result);
            answers = _waiting.Collect();
            sooner = _pool.Sooner;
        }

        _pool.Finish(answers);
        sooner?.Invoke();
        return transition;
    }

    public void Sampled(EndpointSample sample) => _pool.Change(sample, static (state, sample) => state.Apply(sample));

    /// <summary>What an endpoint told of its load beside an answer.</summary>
    public void Reported(in EndpointReport report) => _pool.Change(report, static (state, report) => state.Apply(in report));

    public void Listed(EndpointId endpoint, ImmutableArray<string> models) =>
        _pool.Change((endpoint, models), static (state, with) => state.ApplyModels(with.endpoint, with.models));

    private TimeSpan? Tick(GatewaySession? session)
    {
        TimeSpan? next;
        Answers answers;
        lock (_gate)
        {
            if (session is { } known) _state.Heartbeat(known);
            next = _state.Tick();
            answers = _waiting.CollectAfterTick();
        }

        _pool.Finish(answers);
        return next;
    }

    private async Task<RouteDecision> WaitAsync(Task<RouteDecision> waiting, long ticket, CancellationToken cancellationToken)
    {
        await using var registration = cancellationToken.UnsafeRegister(static (me, token) =>
        {
            var (host, ticket) = ((PoolHost, long))me!;
            TaskCompletionSource<RouteDecision>? left;
            Answers answers;
            lock (host._gate)
            {
                left = host._waiting.Cancel(ticket);
                answers = host._waiting.Collect();
            }

            left?.TrySetCanceled(token);
            host._pool.Finish(answers);
        }, (this, ticket)).ConfigureAwait(false);
        var decision = await waiting.ConfigureAwait(false);
        Placed(in decision);
        return decision;
    }

    // What this gateway sends is counted exactly, but how an endpoint takes it only its metrics tell: one that rested is read often again.
    private void Placed(in RouteDecision decision)
    {
        if (decision.Kind != RouteKind.Send) return;
        if (_monitors.TryGetValue(decision.Endpoint, out var monitor)) monitor.Placed();
        Listener?.Placed(decision.Endpoint);
    }
}
