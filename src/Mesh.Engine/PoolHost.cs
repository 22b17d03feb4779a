using System.Collections.Frozen;
using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Engine.Monitoring;

namespace Mesh.Engine;

/// <summary>One pool's state behind one lock, and the monitors that feed it. Thread-safe, but for <see cref="Reconfigure"/>, whose calls the engine serializes.</summary>
internal sealed class PoolHost(PoolState state, Action wake) : IEndpointObserver, ICacheFeedTarget
{
    private readonly Lock _gate = new();
    private readonly WaitingRoutes _waiting = new(state);
    private Action? _reportSooner;
    private bool _closed;
    private volatile FrozenDictionary<EndpointId, EndpointMonitor> _monitors = FrozenDictionary<EndpointId, EndpointMonitor>.Empty;

    /// <summary>Monitors of the endpoints that the configuration names; empty where others look after them.</summary>
    public FrozenDictionary<EndpointId, EndpointMonitor> Monitors => _monitors;

    /// <summary>Who else is to be told what becomes of requests, where the endpoints' monitors run elsewhere; null without.</summary>
    public IEndpointListener? Listener { get; set; }

    /// <summary>Leases outstanding.</summary>
    public int LeasesOut
    {
        get
        {
            lock (_gate) return state.LeaseCount;
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
            decision = state.Route(in request);
            answers = _waiting.Collect();
            if (decision.Kind == RouteKind.Wait) waiting = _waiting.Add(decision.Ticket);
            sooner = state.NeedsReportSooner ? _reportSooner : null;
        }

        Finish(answers);
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
            state.ReportFirstByte(lease);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        bool ended;
        EndpointId endpoint;
        Action? sooner;
        Answers answers;
        lock (_gate)
        {
            ended = state.Complete(lease, in outcome, out endpoint);
            answers = _waiting.Collect();
            sooner = state.NeedsReportSooner ? _reportSooner : null;
        }

        Finish(answers);
        sooner?.Invoke();

        // A dead endpoint should leave with the first request that it fails, not with the second probe after that.
        if (!ended || outcome.Kind is not (OutcomeKind.ConnectFailure or OutcomeKind.StreamBroken)) return;
        if (_monitors.TryGetValue(endpoint, out var monitor)) monitor.Suspect();
        Listener?.Suspected(endpoint);
    }

    /// <summary>Takes a new configuration and the monitors that go with it.</summary>
    public void Reconfigure(PoolConfig config, FrozenDictionary<EndpointId, EndpointMonitor> monitors)
    {
        Answers answers;
        lock (_gate)
        {
            state.Reconfigure(config);
            answers = _waiting.Collect();
        }

        Finish(answers);
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

        Finish(answers);
    }

    /// <summary>Keeps a session alive and takes back what silent ones held; returns when that makes sense again.</summary>
    public TimeSpan? Keep(GatewaySession session)
    {
        TimeSpan? next;
        Answers answers;
        lock (_gate)
        {
            state.Heartbeat(session);
            next = state.Tick();
            answers = _waiting.CollectAfterTick();
        }

        Finish(answers);
        return next;
    }

    /// <summary>Keeps a session alive. False when it has to announce what it holds: see <see cref="PoolState.Heartbeat"/>.</summary>
    public bool Heartbeat(GatewaySession session)
    {
        lock (_gate) return state.Heartbeat(session);
    }

    /// <summary>Takes over what a session holds from an earlier state: see <see cref="PoolState.Announce"/>.</summary>
    public int Announce(GatewaySession session, ReadOnlySpan<HeldLease> held)
    {
        lock (_gate) return state.Announce(session, held);
    }

    /// <summary>Lets time pass for sessions and waits; returns when that makes sense again.</summary>
    public TimeSpan? Tick()
    {
        TimeSpan? next;
        Answers answers;
        lock (_gate)
        {
            next = state.Tick();
            answers = _waiting.CollectAfterTick();
        }

        Finish(answers);
        return next;
    }

    /// <summary>Takes over a verdict that was reached elsewhere.</summary>
    public HealthTransition Judged(EndpointId endpoint, EndpointHealth verdict)
    {
        HealthTransition transition;
        Answers answers;
        lock (_gate)
        {
            transition = state.ApplyHealth(endpoint, verdict);
            answers = _waiting.Collect();
        }

        Finish(answers);
        return transition;
    }

    /// <summary>Decisions that were kept, the newest first.</summary>
    public ImmutableArray<ExplainedDecision> Decisions(string? requestId, int limit)
    {
        lock (_gate) return state.Decisions(requestId, limit);
    }

    /// <summary>Leases that are out.</summary>
    public ImmutableArray<LeaseSnapshot> Leases(EndpointId? endpoint, GatewaySession? session, int limit)
    {
        lock (_gate) return state.Leases(endpoint, session, limit);
    }

    /// <summary>Sets the peer regions, and whom to tell when they should hear of the pool sooner.</summary>
    public void SetPeers(ImmutableArray<string> regions, Action reportSooner)
    {
        lock (_gate)
        {
            state.SetPeers(regions.AsSpan());
            _reportSooner = reportSooner;
        }
    }

    /// <summary>This pool's part of the report to a peer.</summary>
    public PoolReport BuildReport(string receiver)
    {
        lock (_gate) return state.BuildReport(receiver);
    }

    /// <summary>Takes a peer's report; requests that wait may go there now.</summary>
    public void ApplyPeer(RegionReport report, PoolReport? part)
    {
        Answers answers;
        lock (_gate)
        {
            state.ApplyPeer(report, part);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    /// <summary>The stream of a peer's reports has broken.</summary>
    public void PeerLost(string region)
    {
        Answers answers;
        lock (_gate)
        {
            state.PeerLost(region);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    /// <summary>Takes the round trip to a peer.</summary>
    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
        lock (_gate) state.ApplyRoundTrip(region, roundTrip);
    }

    public PoolSnapshot Snapshot()
    {
        lock (_gate) return state.Snapshot();
    }

    public HealthTransition Probed(ProbeResult result)
    {
        HealthTransition transition;
        Action? sooner;
        Answers answers;
        lock (_gate)
        {
            transition = state.Apply(result);
            answers = _waiting.Collect();
            sooner = state.NeedsReportSooner ? _reportSooner : null;
        }

        Finish(answers);
        sooner?.Invoke();
        return transition;
    }

    public void Sampled(EndpointSample sample)
    {
        Answers answers;
        lock (_gate)
        {
            state.Apply(sample);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    /// <summary>What an endpoint told of its load beside an answer.</summary>
    public void Reported(in EndpointReport report)
    {
        Answers answers;
        lock (_gate)
        {
            state.Apply(in report);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    public void Listed(EndpointId endpoint, ImmutableArray<string> models)
    {
        Answers answers;
        lock (_gate)
        {
            state.ApplyModels(endpoint, models);
            answers = _waiting.Collect();
        }

        Finish(answers);
    }

    public long? AddFeed(EndpointId endpoint)
    {
        lock (_gate) return state.AddCacheFeed(endpoint);
    }

    public void RemoveFeed(long feed)
    {
        lock (_gate) state.RemoveCacheFeed(feed);
    }

    public bool FeedState(long feed, CacheKnowledge knowledge)
    {
        lock (_gate) return state.ApplyCacheState(feed, knowledge);
    }

    // What a cache holds makes no room for anybody: those who wait need not be looked at.
    public void FeedStored(long feed, in StoredBlocks stored)
    {
        lock (_gate) state.ApplyCacheStored(feed, in stored);
    }

    public void FeedRemoved(long feed, ReadOnlySpan<ulong> hashes, CacheTier tier)
    {
        lock (_gate) state.ApplyCacheRemoved(feed, hashes, tier);
    }

    public void FeedCleared(long feed)
    {
        lock (_gate) state.ApplyCacheCleared(feed);
    }

    // Outside the lock: a caller goes on at once.
    private void Finish(Answers answers)
    {
        answers.Deliver();
        if (answers.NeedsTick) wake();
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
            host.Finish(answers);
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
