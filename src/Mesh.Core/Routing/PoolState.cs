using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Randomness;
using Mesh.Core.Scheduling;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Routing;

/// <summary>
/// One pool: places requests on its endpoints and keeps count of what is in flight. A state machine without threads, clock, randomness or
/// input of its own: the host serializes the calls (it is not thread-safe), brings in the clock and the seed, and feeds it probes, samples
/// and model lists. The same calls at the same times with the same seed give the same answers. <see cref="Route"/>,
/// <see cref="ReportFirstByte"/> and <see cref="Complete(LeaseId, in RequestOutcome)"/> allocate nothing once the buffers have grown to the load.
/// </summary>
public sealed class PoolState
{
    private readonly PoolStateOptions _options;
    private readonly PoolClock _clock;
    private readonly Xoshiro256 _random;
    private readonly ModelCatalog _models = new();
    private readonly EndpointTable _endpoints;
    private readonly SessionTable _sessions;
    private readonly LeaseTable _leases;
    private readonly SchedulingProfile _profile = BuiltInProfiles.LeastLoad;
    private readonly SchedulingWorkspace _workspace = new();
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
        _random = new Xoshiro256(seed);
        _endpoints = new EndpointTable(_models);
        _sessions = new SessionTable(_clock.SessionTimeoutTicks, _options.MaxSessions);
        _leases = new LeaseTable(_options.Epoch, _options.MaxLeases);
        _config = config;
        _endpoints.Reconfigure(config);
    }

    /// <summary>The import.</summary>
    public PoolId Id => _config.Id;

    /// <summary>Epoch of the leases handed out here.</summary>
    public long Epoch => _options.Epoch;

    /// <summary>
    /// Chooses an endpoint and reserves it in one step: its requests and tokens in flight rise before this returns, so that requests which
    /// come in a burst see each other. Refuses with a reason. Counts as a sign of life of the request's session.
    /// </summary>
    public RouteDecision Route(in RouteRequest request)
    {
        var now = _clock.Now;
        if (_endpoints.Configured.IsEmpty) return Refuse(DecisionReason.NoEndpoints);

        // :: Step 1: the session lives; make sure that a lease can be had before anything is chosen.
        var session = _sessions.Touch(request.Session, now);
        if (session is null || _leases.IsFull) return Refuse(DecisionReason.TooManyLeases);

        // :: Step 2: choose.
        var model = request.Model is null ? null : _models.Find(request.Model);
        var context = new SchedulingContext(in request, model, _endpoints, _clock.Freshness(now), _clock.FailureDecay(now));
        var choice = _profile.Choose(in context, _endpoints.Configured, _workspace, _random);
        if (choice.Endpoint is not { } endpoint) return Refuse(choice.Reason);

        // :: Step 3: reserve.
        var load = new LeaseLoad(
            Math.Max(0, request.PromptTokens),
            request.MaxOutputTokens > 0 ? request.MaxOutputTokens : _options.AssumedOutputTokens);
        _leases.TryAdd(session, endpoint, load, out var lease);
        endpoint.Reserve(load);
        return RouteDecision.Send(endpoint.Id, endpoint.Backend.Id, lease, choice.Reason);
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
        return true;
    }

    /// <summary>Takes a reading of an endpoint's metrics. False, and no effect, when it is older than the last or the endpoint is unknown.</summary>
    public bool Apply(EndpointSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return _endpoints.TryFind(sample.Endpoint, out var endpoint) && endpoint.Observe(sample);
    }

    /// <summary>Takes a probe's result and says what it changed. One that is older than the last, or of an unknown endpoint, changes nothing.</summary>
    public HealthTransition Apply(ProbeResult probe) =>
        _endpoints.TryFind(probe.Endpoint, out var endpoint) ? endpoint.Observe(probe, _config.HealthCheck) : default;

    /// <summary>Takes over a verdict that a prober elsewhere has reached by the pool's thresholds.</summary>
    public HealthTransition ApplyHealth(EndpointId id, EndpointHealth verdict) =>
        _endpoints.TryFind(id, out var endpoint) ? endpoint.Observe(verdict) : default;

    /// <summary>Takes the models that an endpoint lists, adapters included; <c>default</c> means not known. False when the endpoint is unknown.</summary>
    public bool ApplyModels(EndpointId id, ImmutableArray<string> models)
    {
        if (!_endpoints.TryFind(id, out var endpoint)) return false;
        _models.Assign(endpoint, models);
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
            adopted++;
        }

        return adopted;
    }

    /// <summary>Takes back the leases of sessions that have been silent for the time-out.</summary>
    /// <returns>When the next call makes sense; null when nothing is waiting for time to pass.</returns>
    public TimeSpan? Tick()
    {
        var now = _clock.Now;
        while (_sessions.TakeSilent(now) is { } silent)
        {
            while (_leases.TryTakeFirst(silent, out var ended)) Release(in ended);
        }

        return _sessions.TicksUntilNext(now) is { } ticks ? _clock.Elapsed(0, ticks) : null;
    }

    /// <summary>The state at this moment. Costs a copy: for people, not for the request path.</summary>
    public PoolSnapshot Snapshot() => PoolSnapshotBuilder.Build(_config, _endpoints, _leases.Count, _clock);

    private static bool CountsAsLoad(OutcomeKind kind) => kind is
        OutcomeKind.ConnectFailure or OutcomeKind.ServerError or OutcomeKind.Timeout or OutcomeKind.StreamBroken or OutcomeKind.EndpointFull;

    private void Release(in EndedLease ended)
    {
        ended.Endpoint.Release(in ended);
        _endpoints.ForgetIfDrained(ended.Endpoint);
    }

    private RouteDecision Refuse(DecisionReason reason) => RouteDecision.Refuse(reason, RetryHint.For(reason, _config.HealthCheck));
}
