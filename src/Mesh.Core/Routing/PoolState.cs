using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;
using Mesh.Core.Snapshots;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// One pool: places requests on its endpoints and keeps count of what is in flight. A state machine without threads, clock, randomness or
/// input of its own: the host serializes the calls (it is not thread-safe), brings in the clock and the seed, and feeds it probes, samples
/// and model lists. The same calls at the same times with the same seed give the same answers. <see cref="Route"/>,
/// <see cref="ReportFirstByte"/> and <see cref="Complete(LeaseId, in RequestOutcome)"/> allocate nothing once the buffers have grown to the load.
/// </summary>
public sealed class PoolState
{
    // Requests that fit nowhere must not hold up the pool: it asks so many that want different things, and then stops.
    private const int MaxDispatchTries = 128;
    private static readonly TimeSpan RateRefill = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan DrainCheck = TimeSpan.FromSeconds(1);
    private readonly PoolStateOptions _options;
    private readonly PoolClock _clock;
    private readonly ModelCatalog _models = new();
    private readonly EndpointTable _endpoints;
    private readonly SessionTable _sessions;
    private readonly LeaseTable _leases;
    private readonly Placer _placer;
    private readonly WaitRoom _waiting = new();
    private readonly Admission _admission;
    private BackendTable _backends;
    private PoolConfig _config;

    /// <summary>Starts with nothing in flight and every endpoint's health, load and models unknown.</summary>
    /// <param name="config">Endpoints and settings.</param>
    /// <param name="time">The host's clock.</param>
    /// <param name="seed">Any number; decides how ties are broken.</param>
    /// <param name="options">Bounds and durations; the defaults when null.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its range.</exception>
    public PoolState(PoolConfig config, TimeProvider time, ulong seed, PoolStateOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(config);
        ArgumentNullException.ThrowIfNull(time);
        _options = options ?? new PoolStateOptions();
        _options.Validate();
        _clock = new PoolClock(time, _options);
        _endpoints = new EndpointTable(_models);
        _sessions = new SessionTable(_clock.SessionTimeoutTicks, _options.MaxSessions);
        _leases = new LeaseTable(_options.Epoch, _options.MaxLeases);
        _placer = new Placer(_endpoints, new Xoshiro256(seed));
        _admission = new Admission(_waiting);
        _config = config;
        _endpoints.Reconfigure(config);
        _backends = MakeBackends(null, _clock.Now);
    }

    /// <summary>The import.</summary>
    public PoolId Id => _config.Id;

    /// <summary>Epoch of the leases handed out here.</summary>
    public long Epoch => _options.Epoch;

    /// <summary>
    /// Chooses an endpoint and reserves it in one step: its requests and tokens in flight rise before this returns, so that requests which
    /// come in a burst see each other. Refuses with a reason, or lets the request wait under a ticket whose decision
    /// <see cref="TryTakeDecided"/> gives later. Counts as a sign of life of the request's session.
    /// </summary>
    public RouteDecision Route(in RouteRequest request)
    {
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        if (_endpoints.Configured.IsEmpty) return Refuse(DecisionReason.NoEndpoints);

        // :: Step 1: the session lives; make sure that a lease can be had before anything is chosen.
        // Those who wait come first; what is then left, none of them could take.
        var session = _sessions.Touch(request.Session, timestamp);
        var askedAll = Dispatch();
        if (session is null || _leases.IsFull) return Refuse(DecisionReason.TooManyLeases);

        // :: Step 2: choose.
        var settings = _config.FlowControl;
        var placement = Place(in request, timestamp, now, settings.WhenFull == WhenFull.Overfill && request.Priority >= 0);
        if (placement.Endpoint is null && placement.Reason != DecisionReason.Saturated) return Refuse(placement.Reason);

        // :: Step 3: reserve. A sticky session, which no target stops, does not pass those who wait.
        var free = askedAll && (placement.WithinTarget || placement.Reason == DecisionReason.LastResort);
        if (placement.Endpoint is { } endpoint && (free || !_waiting.IsBehind(request.Priority)))
            return Reserve(in request, session, endpoint, in placement, now);

        // :: Step 4: no room: wait or leave.
        var admitted = _admission.TryAdmit(in request, settings, now, out var refusal);
        return admitted is null ? RouteDecision.Refuse(refusal, _admission.RetryAfter(now)) : RouteDecision.Wait(admitted.Ticket);
    }

    /// <summary>A decision on a request that waited; call after anything that may have made room, until it returns false.</summary>
    /// <param name="ticket">Ticket of the wait.</param>
    /// <param name="decision">Send or refuse.</param>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision) => _waiting.TryTakeDecided(out ticket, out decision);

    /// <summary>True while requests wait for what time alone brings, the tokens of a rate: then <see cref="Tick"/> is due within milliseconds.</summary>
    public bool WaitsForTime => _waiting.Count > 0 && _backends.HasRateTarget;

    /// <summary>
    /// A waiting request's client has left: its place is free at once. False when it does not wait any more: then its decision was, or is
    /// still to be, taken, and a lease in it must be completed.
    /// </summary>
    public bool CancelWait(long ticket)
    {
        if (!_waiting.TryFind(ticket, out var waiter)) return false;
        _waiting.Forget(waiter);
        // Others may have stood behind it.
        Dispatch();
        return true;
    }

    /// <summary>The first byte of the answer has come: the prompt is computed. Unknown leases and repetitions have no effect.</summary>
    public void ReportFirstByte(LeaseId lease)
    {
        if (_leases.TryMarkFirstByte(lease, out var endpoint, out var load)) endpoint.EndPrefill(load);
    }

    /// <summary>
    /// Gives a lease back. False, and no effect, when it was given back or expired before, or is of another epoch and was not announced.
    /// An outcome that is the endpoint's failure, or its full queue, goes on counting as load there for a while.
    /// </summary>
    public bool Complete(LeaseId lease, in RequestOutcome outcome) => Complete(lease, in outcome, out _);

    /// <summary>As <see cref="Complete(LeaseId, in RequestOutcome)"/>; tells whose lease it was, so that a host can look after an endpoint that failed.</summary>
    public bool Complete(LeaseId lease, in RequestOutcome outcome, out EndpointId endpoint)
    {
        endpoint = default;
        if (!_leases.TryTake(lease, out var ended)) return false;
        endpoint = ended.Endpoint.Id;
        if (CountsAsLoad(outcome.Kind))
            ended.Endpoint.AddFailure(_options.FailureWeightRequests, ended.Load, _clock.FailureDecay(_clock.Now));
        Release(in ended);
        _admission.OnFreed(_clock.SinceStart(_clock.Now));
        Dispatch();
        return true;
    }

    /// <summary>Takes a reading of an endpoint's metrics. False, and no effect, when it is older than the last or the endpoint is unknown.</summary>
    public bool Apply(EndpointSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        if (!_endpoints.TryFind(sample.Endpoint, out var endpoint) || !endpoint.Observe(sample)) return false;
        // One that was on its way for too long says nothing any more.
        if (_clock.Freshness(_clock.Now).IsFresh(sample.Timestamp)) _backends.Observe(endpoint, _clock.SinceStart(sample.Timestamp));
        Dispatch();
        return true;
    }

    /// <summary>Takes a probe's result and says what it changed. One that is older than the last, or of an unknown endpoint, changes nothing.</summary>
    public HealthTransition Apply(ProbeResult probe) =>
        _endpoints.TryFind(probe.Endpoint, out var endpoint) ? Moved(endpoint, endpoint.Observe(probe, _config.HealthCheck)) : default;

    /// <summary>Takes over a verdict that a prober elsewhere has reached by the pool's thresholds.</summary>
    public HealthTransition ApplyHealth(EndpointId id, EndpointHealth verdict) =>
        _endpoints.TryFind(id, out var endpoint) ? Moved(endpoint, endpoint.Observe(verdict)) : default;

    /// <summary>Takes the models that an endpoint lists, adapters included; <c>default</c> means not known. False when the endpoint is unknown.</summary>
    public bool ApplyModels(EndpointId id, ImmutableArray<string> models)
    {
        if (!_endpoints.TryFind(id, out var endpoint)) return false;
        _models.Assign(endpoint, models);
        Dispatch();
        return true;
    }

    /// <summary>
    /// Takes a new configuration. Endpoints are kept by id with all that is known of them; removed ones get no new requests, and the leases
    /// that they have stay valid until they are completed.
    /// </summary>
    public void Reconfigure(PoolConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        _config = config;
        _endpoints.Reconfigure(config);
        _backends = MakeBackends(_backends, _clock.Now);
        _placer.Forget();
        Dispatch();
        _admission.Trim(config.FlowControl, _clock.SinceStart(_clock.Now));
    }

    /// <summary>
    /// A gateway session lives. False when this state has not heard of it, or not for longer than the time-out: it must then
    /// <see cref="Announce"/> what it holds. (Nothing is to be announced when it holds nothing.)
    /// </summary>
    public bool Heartbeat(GatewaySession session)
    {
        var known = _sessions.Contains(session);
        _sessions.Touch(session, _clock.Now);
        return known;
    }

    /// <summary>
    /// Takes over the leases that a gateway holds from an earlier epoch, or from before it fell silent, under the ids that the gateway knows.
    /// Idempotent: a lease that is live is left as it is. Leases of endpoints that the pool does not have are passed over. A session's calls
    /// must arrive in order: an announcement that overtakes a completion would bring the lease back.
    /// </summary>
    /// <returns>How many leases were taken over.</returns>
    public int Announce(GatewaySession session, ReadOnlySpan<HeldLease> held)
    {
        var owner = _sessions.Touch(session, _clock.Now);
        if (owner is null) return 0;
        var adopted = 0;
        foreach (var lease in held)
        {
            if (!_endpoints.TryFind(lease.Endpoint, out var endpoint)) continue;
            var load = new LeaseLoad(Math.Max(0, lease.PromptTokens), Math.Max(0, lease.OutputTokens));
            if (!_leases.TryAdopt(owner, endpoint, load, lease.Lease, lease.FirstByteSeen)) continue;
            endpoint.Reserve(load, lease.FirstByteSeen);
            _backends.OnPlaced(endpoint, _clock.SinceStart(_clock.Now), withinTarget: false);
            adopted++;
        }

        return adopted;
    }

    /// <summary>
    /// Takes back the leases and places of sessions that have been silent for the time-out, ends waits that are overdue, lets stale samples
    /// become unknown, and gives waiting requests the room that time has made.
    /// </summary>
    /// <returns>When the next call makes sense; null when nothing is waiting for time to pass.</returns>
    public TimeSpan? Tick()
    {
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        while (_sessions.TakeSilent(timestamp) is { } silent)
        {
            while (_leases.TryTakeFirst(silent, out var ended)) Release(in ended);
            _waiting.ForgetSession(silent.Id);
        }
        while (_waiting.Overdue(now) is { } overdue)
        {
            _waiting.Refuse(overdue, RouteDecision.Refuse(DecisionReason.QueueTimeout, _admission.RetryAfter(now)));
        }
        _backends.Tick(now, _options.SampleMaxAge);
        Dispatch();
        return NextTick(timestamp, now);
    }

    /// <summary>The state at this moment. Costs a copy: for people, not for the request path.</summary>
    public PoolSnapshot Snapshot() => PoolSnapshotBuilder.Build(_config, _endpoints, _backends, _waiting, _leases.Count, _clock);

    private static bool CountsAsLoad(OutcomeKind kind) => kind is
        OutcomeKind.ConnectFailure or OutcomeKind.ServerError or OutcomeKind.Timeout or OutcomeKind.StreamBroken or OutcomeKind.EndpointFull;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private Placement Place(in RouteRequest request, long timestamp, TimeSpan now, bool overfill)
    {
        var model = request.Model is null ? null : _models.Find(request.Model);
        var context = new SchedulingContext(in request, model, _endpoints, _clock.Freshness(timestamp), _clock.FailureDecay(timestamp));
        return _placer.Place(in context, _backends, now, overfill);
    }

    private RouteDecision Reserve(in RouteRequest request, SessionState session, EndpointState endpoint, in Placement placement, TimeSpan now)
    {
        var load = new LeaseLoad(
            Math.Max(0, request.PromptTokens),
            request.MaxOutputTokens > 0 ? request.MaxOutputTokens : _options.AssumedOutputTokens);
        _leases.TryAdd(session, endpoint, load, out var lease);
        endpoint.Reserve(load);
        _backends.OnPlaced(endpoint, now, placement.WithinTarget);
        return RouteDecision.Send(endpoint.Id, endpoint.Backend.Id, lease, placement.Reason);
    }

    // Gives waiting requests the places that there are: highest band first, flows in turn, and past a request that only fits elsewhere.
    // False when the last place was not offered to all of them.
    private bool Dispatch()
    {
        if (_waiting.Count == 0) return true;
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        var overfill = _config.FlowControl.WhenFull == WhenFull.Overfill;
        var askedAll = true;
        while (!_leases.IsFull && (overfill || _backends.Selector.HasRoom(now)) && DispatchOne(timestamp, now, overfill, out askedAll))
        {
        }

        return askedAll;
    }

    private bool DispatchOne(long timestamp, TimeSpan now, bool overfill, out bool askedAll)
    {
        askedAll = true;
        var waiter = _waiting.Queue.StartPass();
        for (var tries = 0; waiter is not null; tries++, waiter = _waiting.Queue.RuleOut(waiter))
        {
            if (tries == MaxDispatchTries)
            {
                askedAll = false;
                return false;
            }

            var request = waiter.Request;
            if (_sessions.Find(request.Session) is not { } session) continue;
            var placement = Place(in request, timestamp, now, overfill);
            if (placement.Endpoint is not { } endpoint) continue;
            _waiting.Serve(waiter, Reserve(in request, session, endpoint, in placement, now));
            return true;
        }

        return false;
    }

    private TimeSpan? NextTick(long timestamp, TimeSpan now)
    {
        var next = _sessions.TicksUntilNext(timestamp) is { } ticks ? _clock.Elapsed(0, ticks) : TimeSpan.MaxValue;
        if (_waiting.NextDeadline is { } deadline) next = Min(next, deadline - now);
        // Tokens of a rate come with time alone.
        if (WaitsForTime) next = Min(next, RateRefill);
        if (_backends.HoldsDrains) next = Min(next, DrainCheck);
        if (_backends.OldestSample is { } read) next = Min(next, read + _options.SampleMaxAge + TimeSpan.FromTicks(1) - now);
        return next == TimeSpan.MaxValue ? null : next < TimeSpan.Zero ? TimeSpan.Zero : next;
    }

    private HealthTransition Moved(EndpointState endpoint, HealthTransition transition)
    {
        if (!transition.Changed) return transition;
        _backends.OnHealthChanged(endpoint, transition, _clock.SinceStart(_clock.Now));
        Dispatch();
        return transition;
    }

    private BackendTable MakeBackends(BackendTable? before, long timestamp)
    {
        var freshness = _clock.Freshness(timestamp);
        return new BackendTable(
            _config, _options.Locality, _endpoints.Configured, before, _clock.SinceStart(timestamp),
            e => freshness.IsFresh(e.LastSample!.Timestamp) ? _clock.SinceStart(e.LastSample.Timestamp) : null);
    }

    private void Release(in EndedLease ended)
    {
        ended.Endpoint.Release(in ended);
        _backends.OnCompleted(ended.Endpoint);
        _endpoints.ForgetIfDrained(ended.Endpoint);
    }

    private RouteDecision Refuse(DecisionReason reason) => RouteDecision.Refuse(reason, RetryHint.For(reason, _config.HealthCheck));
}
