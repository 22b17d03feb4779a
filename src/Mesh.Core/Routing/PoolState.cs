using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reporting;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Snapshots;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// One pool: places requests on its endpoints and keeps count of what is in flight. A state machine without threads, clock, randomness or
/// input of its own: the host serializes the calls (it is not thread-safe), brings in the clock and the seed, and feeds it probes, samples
/// and model lists. The same calls at the same times with the same seed give the same answers. <see cref="Route"/>,
/// <see cref="ReportFirstByte"/> and <see cref="Complete(LeaseId, in RequestOutcome)"/> allocate nothing once the buffers have grown to the load.
/// </summary>
public sealed partial class PoolState
{
    private readonly PoolStateOptions _options;
    private readonly PoolClock _clock;
    private readonly Xoshiro256 _random;
    private readonly ModelCatalog _models = new();
    private readonly EndpointTable _endpoints;
    private readonly PrefixKnowledge _prefixes;
    private readonly Reservations _reservations;
    private readonly Ejections _ejections;
    private readonly SlowStart _slowStart;
    private readonly DecisionLog _log;
    private readonly Chooser _chooser;
    private readonly Dispatcher _dispatcher;
    private readonly PeerTable _peers;
    private readonly ReportBuilder _reports;
    private readonly Observations _observations;
    private readonly TickTimes _tickTimes;
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
        _prefixes = new PrefixKnowledge(_options, _clock);
        _slowStart = new SlowStart(_options.SlowStartWindow);
        _endpoints = new EndpointTable(_models) { Forgotten = gone => _prefixes.Remove(gone.Slot) };
        _config = config;
        _endpoints.Reconfigure(config);
        _prefixes.SetSlots(_endpoints.SlotCount);
        _prefixes.Configure(config.KvEvents);
        var costs = new CostModel(config.Scheduling);
        _reservations = new Reservations(_options, _clock, _endpoints, _prefixes) { Backends = MakeBackends(null), Costs = costs, Peers = _peers = new PeerTable(_options, time) };
        _ejections = new Ejections(_options.Ejection, _endpoints, _slowStart);
        _log = new DecisionLog(_options.ExplainedDecisions, _options.ExplainedRefusalsPerSecond, _clock);
        var room = new WaitRoom();
        _reports = new ReportBuilder(_options, _clock, _endpoints, _models, _peers, room);
        _chooser = new Chooser(_clock, _endpoints, _models, _prefixes, _reservations) { Placer = new Placer(_endpoints, costs, config.Scheduling, _random, _slowStart) };
        _dispatcher = new Dispatcher(_clock, _chooser, _reservations)
        {
            Room = room,
            Admission = new Admission(room),
            Settings = config.FlowControl,
            RequestTimeout = config.Timeout,
        };
        _observations = new Observations(_clock, _endpoints, _models, _prefixes, _reservations, _ejections, _slowStart, _dispatcher);
        _tickTimes = new TickTimes(_options, _clock, _reservations, _ejections, _dispatcher);
    }

    /// <summary>The import.</summary>
    public PoolId Id => _config.Id;

    /// <summary>Leases outstanding.</summary>
    public int LeaseCount => _reservations.Leases.Count;

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
        if (_options.Explain || request.Explain)
        {
            // Before it is placed: afterwards the chosen one would be the busiest.
            var facts = _chooser.Explain(in request, timestamp);
            var explained = Decide(in request, timestamp);
            Note(in request, explained, facts, timestamp);
            return explained;
        }

        var decision = Decide(in request, timestamp);
        if (decision.Kind == RouteKind.Refuse && _log.TakesRefusal(timestamp)) Note(in request, decision, _chooser.Explain(in request, timestamp), timestamp);
        return decision;
    }

    /// <summary>A decision on a request that waited; call after anything that may have made room, until it returns false.</summary>
    /// <param name="ticket">Ticket of the wait.</param>
    /// <param name="decision">Send or refuse.</param>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision)
    {
        if (!_dispatcher.Room.TryTakeDecided(out ticket, out decision, out var requestId, out var since)) return false;
        if (!_log.Complete(ticket, decision) && decision.Kind == RouteKind.Refuse && _log.TakesRefusal(_clock.Now)) NoteLate(requestId, ticket, decision, since);
        return true;
    }

    /// <summary>True while requests wait for what time alone brings: then <see cref="Tick"/> is due within milliseconds.</summary>
    public bool WaitsForTime => _tickTimes.WaitsForTime;

    /// <summary>
    /// True when those who wait need <see cref="Tick"/> before the time that its last call gave: a request has begun to wait since, or an
    /// endpoint that one waits for will be ready sooner. Worth a look after every call.
    /// </summary>
    public bool NeedsTickSooner => _tickTimes.IsNeededSooner;

    /// <summary>
    /// A waiting request's client has left: its place is free at once. False when it does not wait any more: then its decision was, or is
    /// still to be, taken, and a lease in it must be completed.
    /// </summary>
    public bool CancelWait(long ticket)
    {
        if (!_dispatcher.Cancel(ticket)) return false;
        _log.Cancel(ticket);
        _dispatcher.Dispatch();
        return true;
    }

    /// <summary>The first byte of the answer has come: the prompt is computed. Unknown leases and repetitions have no effect.</summary>
    public void ReportFirstByte(LeaseId lease)
    {
        if (_reservations.OnFirstByte(lease) is not { } endpoint) return;
        _dispatcher.OnWorkChanged(endpoint);
        _dispatcher.Dispatch();
    }

    /// <summary>
    /// Gives a lease back. False, and no effect, when it was given back or expired before, or is of another epoch and was not announced.
    /// An outcome that is the endpoint's failure, or its full queue, goes on counting as load there for a while, and an endpoint that goes on
    /// failing is ejected (<see cref="PoolStateOptions.Ejection"/>).
    /// </summary>
    public bool Complete(LeaseId lease, in RequestOutcome outcome) => Complete(lease, in outcome, out _);

    /// <summary>
    /// As <see cref="Complete(LeaseId, in RequestOutcome)"/>; tells whose lease it was, so that a host can look after an endpoint that failed: default for a
    /// request that was forwarded.
    /// </summary>
    public bool Complete(LeaseId lease, in RequestOutcome outcome, out EndpointId endpoint)
    {
        endpoint = default;
        if (!_reservations.TryEnd(lease, in outcome, out var ended)) return false;
        var now = _clock.SinceStart(_clock.Now);
        if (ended is null)
        {
            _dispatcher.Dispatch();
            return true;
        }
        endpoint = ended.Id;
        _dispatcher.Admission.OnFreed(now);
        _dispatcher.OnWorkChanged(ended);
        if (_ejections.OnEnded(ended, outcome.Kind, now, _reservations.Backends)) _dispatcher.Evacuate(ended);
        _dispatcher.Dispatch();
        return true;
    }

    /// <summary>
    /// Takes a new configuration. Endpoints are kept by id with all that is known of them; removed ones get no new requests, and the leases
    /// that they have stay valid until they are completed. Requests that wait for a removed one are placed anew.
    /// </summary>
    public void Reconfigure(PoolConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        var before = _endpoints.Configured.ToArray();
        var scheduling = _config.Scheduling;
        _config = config;
        _endpoints.Reconfigure(config);
        _prefixes.SetSlots(_endpoints.SlotCount);
        _prefixes.Configure(config.KvEvents);
        _reservations.Backends = MakeBackends(_reservations.Backends);
        _dispatcher.Settings = config.FlowControl;
        _dispatcher.RequestTimeout = config.Timeout;
        if (config.Scheduling != scheduling)
        {
            _reservations.Costs = new CostModel(config.Scheduling);
            _chooser.Placer = new Placer(_endpoints, _reservations.Costs, config.Scheduling, _random, _slowStart);
        }
        _ejections.Review(_clock.SinceStart(_clock.Now), _reservations.Backends);
        foreach (var endpoint in before)
        {
            // Scaled to 0 is as good as removed for those who have not been sent yet.
            if (endpoint.BackendIndex < 0 || !_reservations.Backends.Selector.IsOpen(endpoint.BackendIndex)) _dispatcher.Evacuate(endpoint);
        }
        _dispatcher.Dispatch();
        _dispatcher.Trim();
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
        while (_reservations.Sessions.TakeSilent(timestamp) is { } silent)
        {
            _reservations.EndAll(silent);
            _dispatcher.Forget(silent.Id);
        }
        _prefixes.Learn();
        _ejections.ReturnDue(now);
        _slowStart.EndDue(now);
        _dispatcher.EndOverdue(timestamp, now);
        _reservations.Backends.Tick(now, _options.SampleMaxAge);
        _dispatcher.Dispatch();
        return _tickTimes.Next(timestamp, now);
    }

    /// <summary>The state at this moment. Costs a copy: for people, not for the request path.</summary>
    public PoolSnapshot Snapshot() => PoolSnapshotBuilder.Build(_config, _endpoints, _reservations, _dispatcher.Room, _clock, _slowStart, _prefixes.Events) with
    {
        Epoch = Epoch,
        Sessions = Sessions(),
        Peers = PeerSnapshots(),
    };

    private BackendTable MakeBackends(BackendTable? before)
    {
        var timestamp = _clock.Now;
        var freshness = _clock.Freshness(timestamp);
        return new BackendTable(
            _config, _options.Locality, _endpoints.Configured, before, _clock.SinceStart(timestamp),
            e => _clock.AgesFrom(e.LastSample!) is var agesFrom && freshness.IsFresh(agesFrom) ? _clock.SinceStart(agesFrom) : null)
        {
            SlowStart = _slowStart,
        };
    }

    private RouteDecision WithHint(RouteDecision decision) =>
        decision.Kind == RouteKind.Refuse && decision.RetryAfter == TimeSpan.Zero
            ? RouteDecision.Refuse(decision.Reason, RetryHint.For(decision.Reason, _config.HealthCheck))
            : decision;
}
