using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Faults.Pools;

namespace Mesh.Simulation.Faults.Judging;

/// <summary>
/// One pool's core under judgement: every call goes to the core and to a <see cref="PoolLedger"/>, every answer is held against what the
/// ledger says, and the core's counts are counted anew at every placement and every so many calls.
/// </summary>
internal sealed class JudgedPool
{
    private readonly ICorePool _core;
    private readonly PoolLedger _ledger;
    private readonly PlacementRules _rules;
    private readonly Journal _journal;
    private readonly TimeProvider _time;
    private readonly PoolStateOptions _options;
    private readonly int _recountEvery;
    private readonly Queue<(long Ticket, RouteDecision Decision)> _decided = new();
    private readonly List<(EndpointId Endpoint, RouteRequest Request)> _placed = [];
    private readonly HashSet<GatewaySession> _owing = [];
    private int _calls;

    public JudgedPool(ICorePool core, PoolConfig config, PoolStateOptions options, TimeProvider time, Journal journal, int recountEvery)
    {
        _core = core;
        _journal = journal;
        _time = time;
        _options = options;
        _recountEvery = recountEvery;
        _ledger = new PoolLedger(options, config, time);
        _rules = new PlacementRules(_ledger, journal, time);
    }

    /// <summary>Decisions on requests that waited, to be handed out.</summary>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision)
    {
        var taken = _decided.TryDequeue(out var next);
        (ticket, decision) = next;
        return taken;
    }

    public bool NeedsTickSooner => _core.NeedsTickSooner;

    public int Leases => _ledger.LeaseCount;

    public int Waits => _ledger.Waits.Count;

    public RouteDecision Route(in RouteRequest request)
    {
        if (!_ledger.Endpoints.Keys.All(e => _ledger.BackendOf(e) is null)) _ledger.Touch(request.Session);
        var decision = _core.Route(in request);
        if (decision.Kind == RouteKind.Wait && !_ledger.Waits.TryAdd(decision.Ticket, new LedgerWait(request.Session, request, _time.GetTimestamp())))
            _journal.Break($"ticket {decision.Ticket} was given out twice");
        TakeDecided();
        if (decision.Kind == RouteKind.Send) Place(in request, decision, waitedSince: null);
        else if (decision.Kind == RouteKind.Refuse) _rules.JudgeRefusal(in request, decision, _core.Snapshot);
        Settle();
        return decision;
    }

    public bool CancelWait(long ticket)
    {
        var waited = _ledger.Waits.Remove(ticket);
        var cancelled = _core.CancelWait(ticket);
        if (cancelled != waited) _journal.Break($"ticket {ticket} {(waited ? "waited and could not be cancelled" : "did not wait and was cancelled")}");
        Settle();
        return cancelled;
    }

    public void ReportFirstByte(LeaseId lease)
    {
        _ledger.FirstByte(lease);
        _core.ReportFirstByte(lease);
        Settle();
    }

    public bool Complete(LeaseId lease, in RequestOutcome outcome)
    {
        var endpoint = _ledger.EndpointOf(lease);
        var held = _ledger.End(lease);
        // Whoever waits for an endpoint that is ejected for this goes elsewhere.
        if (outcome.Kind != OutcomeKind.Success) _ledger.DisturbedAt = _time.GetTimestamp();
        var ended = _core.Complete(lease, in outcome);
        if (ended != held) _journal.Break(held ? $"lease {lease} was outstanding and could not be given back" : $"lease {lease} was not outstanding and was given back");
        if (held) _rules.JudgeEjection(endpoint!.Value, outcome.Kind, _core.Snapshot);
        Settle();
        return ended;
    }

    public void Apply(EndpointSample sample)
    {
        if (_ledger.Endpoints.TryGetValue(sample.Endpoint, out var shadow)) Watch(shadow, () => shadow.Observe(sample));
        _core.Apply(sample);
        Settle();
    }

    public void Apply(ProbeResult probe)
    {
        if (_ledger.Endpoints.TryGetValue(probe.Endpoint, out var shadow)) Watch(shadow, () => shadow.Observe(probe, _ledger.Config.HealthCheck));
        _core.Apply(probe);
        Settle();
    }

    public void ApplyModels(EndpointId endpoint, ImmutableArray<string> models)
    {
        if (_ledger.Endpoints.TryGetValue(endpoint, out var shadow))
        {
            // Whoever waits for an endpoint that serves its model no more goes elsewhere.
            if (shadow.Models.IsDefault != models.IsDefault || (!models.IsDefault && !shadow.Models.SequenceEqual(models))) _ledger.DisturbedAt = _time.GetTimestamp();
            shadow.Models = models;
        }

        _core.ApplyModels(endpoint, models);
        Settle();
    }

    public void Reconfigure(PoolConfig config)
    {
        _ledger.Reconfigure(config);
        _rules.OnReconfigured();
        _core.Reconfigure(config);
        Settle();
    }

    /// <param name="session">Who lives.</param>
    /// <param name="held">Leases that it held when it said so: a pool that knows the session must know them.</param>
    public bool Heartbeat(GatewaySession session, HeldLease[] held)
    {
        _ledger.Touch(session);
        var known = _core.Heartbeat(session);
        // Told once, it will announce; heartbeats that were sent before that say nothing new.
        if (!known) _owing.Add(session);
        foreach (var lease in held)
        {
            if (_owing.Contains(session)) break;
            if (!_ledger.Holds(lease.Lease) && _ledger.Endpoints.ContainsKey(lease.Endpoint) && !_ledger.WasPassedOver(lease.Lease))
                _journal.Break($"session {session} is known and need not announce, but its lease {lease.Lease} is not counted");
        }

        Settle();
        return known;
    }

    public void Announce(GatewaySession session, HeldLease[] held)
    {
        _owing.Remove(session);
        var expected = _ledger.Adopt(session, held);
        var adopted = _core.Announce(session, held);
        if (adopted != expected) _journal.Break($"{adopted} of {held.Length} announced leases were taken over, {expected} were missing");
        Settle();
    }

    public TimeSpan? Tick()
    {
        _ledger.ExpireSilent();
        var next = _core.Tick();
        Settle();
        return next;
    }

    /// <summary>Counts everything anew.</summary>
    public void CountAnew()
    {
        if (Recount.Difference(_core.Snapshot(), _ledger, _time, _options.SessionTimeout) is { } difference) _journal.Break(difference);
    }

    private void Watch(EndpointShadow shadow, Action observe)
    {
        var before = shadow.Health;
        observe();
        if (shadow.Health != before) _ledger.DisturbedAt = _time.GetTimestamp();
    }

    private void TakeDecided()
    {
        while (_core.TryTakeDecided(out var ticket, out var decision))
        {
            if (!_ledger.Waits.Remove(ticket, out var wait))
            {
                _journal.Break($"ticket {ticket} was decided, and nobody waits under it (any more)");
                continue;
            }

            if (decision.Kind == RouteKind.Wait) _journal.Break($"ticket {ticket} was told to wait again");
            if (decision.Kind == RouteKind.Send) Place(wait.Request, decision, wait.Since);
            if (decision.Kind == RouteKind.Refuse && decision.Reason is DecisionReason.None) _journal.Break($"ticket {ticket} was refused without a reason");
            _decided.Enqueue((ticket, decision));
        }
    }

    private void Place(in RouteRequest request, RouteDecision decision, long? waitedSince)
    {
        if (_ledger.Holds(decision.Lease))
        {
            _journal.Break($"lease {decision.Lease} was handed out twice");
            return;
        }

        _ledger.Place(decision.Lease, request.Session, in request, decision.Endpoint);
        _rules.JudgePlacement(in request, decision, waitedSince);
        _placed.Add((decision.Endpoint, request));
    }

    private void Settle()
    {
        TakeDecided();
        _calls++;
        if (_placed.Count == 0 && _calls % _recountEvery != 0) return;
        var snapshot = _core.Snapshot();
        foreach (var (endpoint, request) in _placed) _rules.JudgeEjected(endpoint, in request, snapshot);
        _placed.Clear();
        if (Recount.Difference(snapshot, _ledger, _time, _options.SessionTimeout) is { } difference) _journal.Break(difference);
    }
}
