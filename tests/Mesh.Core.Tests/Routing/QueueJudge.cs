using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Tests.Routing;

/// <summary>
/// Knows the rules and nothing of the implementation: keeps its own count of what runs and waits, and says of every decision whether it
/// should have been another one. Of a pool that binds late it judges the counts and the answers, not the order: there requests wait for one
/// endpoint, whose time is predicted.
/// </summary>
internal sealed class QueueJudge(PoolState state, bool bindsLate)
{
    private readonly Dictionary<(int Priority, string Flow), int> _passedOver = [];
    private PoolSnapshot _now = state.Snapshot();

    public List<(RouteDecision Decision, GatewaySession Session)> Held { get; } = [];

    public SortedDictionary<long, RouteRequest> Waiting { get; } = [];

    /// <summary>The first rule that was broken; null while none was.</summary>
    public string? Violation
    {
        get => field;
        set => field ??= value;
    }

    public int SentDirectly { get; private set; }

    public int SentAfterWaiting { get; private set; }

    public int Evicted { get; private set; }

    public int LongestPassedOver { get; private set; }

    public void ForgetSessions(Func<GatewaySession, bool> isGone)
    {
        Held.RemoveAll(h => isGone(h.Session));
        foreach (var (ticket, _) in Waiting.Where(w => isGone(w.Value.Session)).ToArray()) Waiting.Remove(ticket);
    }

    /// <summary>Judges the decisions on requests that waited, in the order in which they were made.</summary>
    public void TakeDecided(PoolConfig config, long nowMs)
    {
        _now = state.Snapshot();
        while (state.TryTakeDecided(out var ticket, out var decision))
        {
            if (!Waiting.Remove(ticket, out var request))
            {
                Violation = $"at {nowMs} ms: a second decision, or one nobody waits for, on ticket {ticket}";
                continue;
            }
            if (decision.Kind == RouteKind.Wait) Violation = $"ticket {ticket} was told to wait again";
            if (decision.Reason == DecisionReason.QueueEvicted)
            {
                Evicted++;
                if (Waiting.Values.Any(w => w.Priority < request.Priority)) Violation = $"ticket {ticket} of priority {request.Priority} was evicted before a lower one";
            }
            if (decision.Kind != RouteKind.Send) continue;
            SentAfterWaiting++;
            JudgePlacement(config, in request, decision);
            JudgeTurn(config, ticket, in request, decision);
            Held.Add((decision, request.Session));
        }
    }

    /// <summary>Judges the answer to a request that has just come.</summary>
    public void Decided(PoolConfig config, in RouteRequest request, RouteDecision decision)
    {
        switch (decision.Kind)
        {
            case RouteKind.Wait:
                Waiting.Add(decision.Ticket, request);
                if (request.Priority < 0 && !bindsLate) Violation = "a negative priority waits";
                break;
            case RouteKind.Send:
                SentDirectly++;
                JudgePlacement(config, in request, decision);
                if (decision.Reason != DecisionReason.Overfill) JudgePriority(request.Priority, decision);
                Held.Add((decision, request.Session));
                break;
            default:
                var asked = request;
                var ready = _now.Backends.SelectMany(b => b.Endpoints.Select(e => (b, e))).Any(p => IsUsable(config, p.b) && CanTake(in asked, p.e));
                if (decision.Reason is DecisionReason.PriorityShed or DecisionReason.Saturated or DecisionReason.QueueFull)
                {
                    if (!ready) Violation = $"{decision.Reason} though nothing is ready";
                    if (decision.RetryAfter <= TimeSpan.Zero) Violation = $"{decision.Reason} without a time to come back";
                    if (!bindsLate && CouldGo(config, in request)) Violation = $"{decision.Reason} though there is room";
                }
                else if (ready)
                {
                    Violation = $"{decision.Reason} though an endpoint could take it";
                }
                break;
        }
    }

    /// <summary>What must hold whenever the pool has come to rest.</summary>
    public void JudgeRest(PoolConfig config)
    {
        _now = state.Snapshot();
        var inFlight = _now.Backends.Sum(b => b.Endpoints.Sum(e => e.InFlightRequests));
        if (_now.Leases != Held.Count || inFlight != Held.Count) Violation = $"{_now.Leases} leases, {inFlight} in flight, {Held.Count} held";
        if (_now.Queue.Sum(b => b.Requests) != Waiting.Count) Violation = $"{_now.Queue.Sum(b => b.Requests)} in the queue, {Waiting.Count} wait";
        var counted = bindsLate ? Waiting.Count : 0;
        var byBackend = _now.Backends.Where(b => config.Backends.Any(c => c.Id == b.Id)).Sum(b => b.InFlightRequests);
        var configured = Held.Count(h => _now.Backends.SelectMany(b => b.Endpoints).Any(e => e.Id == h.Decision.Endpoint && !e.Draining));
        if (byBackend < configured || byBackend > configured + counted) Violation = $"the backends count {byBackend}, {configured} run";
        foreach (var band in _now.Queue)
        {
            var waiting = Waiting.Values.Where(w => w.Priority == band.Priority).ToArray();
            if (waiting.Length != band.Requests || waiting.Select(w => w.FairnessId).Distinct().Count() != band.Flows) Violation = $"band {band} is not what waits";
        }
        if (Waiting.Count > config.FlowControl.MaxWaitingRequests) Violation = "more wait than may";
        if (Waiting.Values.Sum(w => (long)w.BodyBytes) > config.FlowControl.MaxWaitingBytes) Violation = "more bytes wait than may";
        // Who leaves and comes again takes its turn last again.
        foreach (var key in _passedOver.Keys.Where(k => !Waiting.Values.Any(w => w.Priority == k.Priority && w.FairnessId == k.Flow)).ToArray()) _passedOver.Remove(key);
        foreach (var (ticket, request) in Waiting)
        {
            if (!bindsLate && CouldGo(config, in request)) Violation = $"ticket {ticket} waits though there is room";
        }
    }

    private static int TierOf(BackendSnapshot backend) => backend.Id.Cluster switch { "pref" => 0, "east" => 2, _ => 1 };

    private static bool CanTake(in RouteRequest request, EndpointSnapshot endpoint) =>
        endpoint.Health == EndpointHealth.Healthy
        && !endpoint.Draining
        && (request.Model is null || endpoint.Models.IsDefault || endpoint.Models.Contains(request.Model))
        && (request.Excluded.IsDefault || !request.Excluded.Contains(endpoint.Id))
        && (request.Subset.IsDefault || request.Subset.Contains(endpoint.Id));

    private static bool IsUsable(PoolConfig config, BackendSnapshot backend) =>
        config.Backends.Any(b => b.Id == backend.Id) && backend.HealthyEndpoints > 0 && backend.Settings.CapacityScaler > 0;

    private static bool IsOpen(PoolConfig config, BackendSnapshot backend) => IsUsable(config, backend) && !backend.Drained;

    private bool HasRoom(PoolConfig config, BackendSnapshot backend) => IsOpen(config, backend) && InFlight(backend) + 1 <= backend.TargetInFlight;

    private int InFlight(BackendSnapshot backend) =>
        Held.Count(h => backend.Endpoints.Any(e => e.Id == h.Decision.Endpoint && !e.Draining));

    private bool CouldGo(PoolConfig config, in RouteRequest request)
    {
        foreach (var backend in _now.Backends)
        {
            if (!HasRoom(config, backend)) continue;
            foreach (var endpoint in backend.Endpoints)
            {
                if (CanTake(in request, endpoint)) return true;
            }
        }
        return false;
    }

    // No backend above target, and none of a later tier, while one of an earlier tier that could take the request is below.
    private void JudgePlacement(PoolConfig config, in RouteRequest request, RouteDecision decision)
    {
        var chosen = _now.Backends.Single(b => b.Id == decision.Backend);
        if (!CanTake(in request, chosen.Endpoints.Single(e => e.Id == decision.Endpoint))) Violation = $"{decision.Endpoint} cannot take the request";
        if (!IsUsable(config, chosen)) Violation = $"{chosen.Id} has no capacity";
        if (bindsLate) return;
        var above = !HasRoom(config, chosen);
        foreach (var other in _now.Backends)
        {
            if (other.Id == chosen.Id || !HasRoom(config, other) || (!above && TierOf(other) >= TierOf(chosen))) continue;
            foreach (var endpoint in other.Endpoints)
            {
                if (CanTake(in request, endpoint)) Violation = $"sent to {chosen.Id}{(above ? " above target" : "")} while {other.Id} had room";
            }
        }
        if (above && !chosen.Drained && decision.Reason != DecisionReason.Overfill) Violation = $"above target at {chosen.Id} as {decision.Reason}";
        if (above && !chosen.Drained && config.FlowControl.WhenFull != WhenFull.Overfill) Violation = "overfilled against the policy";
    }

    private void JudgePriority(int priority, RouteDecision decision)
    {
        // A drained backend is for those alone whom no other can serve.
        if (bindsLate || decision.Reason == DecisionReason.LastResort) return;
        var endpoint = _now.Backends.SelectMany(b => b.Endpoints).Single(e => e.Id == decision.Endpoint);
        foreach (var (ticket, waiting) in Waiting)
        {
            if (waiting.Priority > priority && CanTake(in waiting, endpoint)) Violation = $"priority {priority} took {endpoint.Id}, which ticket {ticket} of {waiting.Priority} could take ({decision.Reason})";
        }
    }

    // Within a flow the first that could go goes; each other flow of the band is passed over at most once by each flow.
    private void JudgeTurn(PoolConfig config, long ticket, in RouteRequest request, RouteDecision decision)
    {
        JudgePriority(request.Priority, decision);
        var served = request;
        _passedOver[(request.Priority, request.FairnessId)] = 0;
        if (bindsLate || decision.Reason is DecisionReason.Overfill or DecisionReason.LastResort) return;
        var endpoint = _now.Backends.SelectMany(b => b.Endpoints).Single(e => e.Id == decision.Endpoint);
        foreach (var (other, waiting) in Waiting)
        {
            if (waiting.Priority != served.Priority) continue;
            if (waiting.FairnessId == served.FairnessId && other < ticket && waiting.Model == served.Model && IsPlain(in waiting) && IsPlain(in served))
                Violation = $"ticket {ticket} went before {other} of its own flow";
        }

        foreach (var flow in Waiting.Values.Where(w => w.Priority == served.Priority && w.FairnessId != served.FairnessId && IsPlain(in w) && CanTake(in w, endpoint)).Select(w => w.FairnessId).Distinct())
        {
            var count = _passedOver[(served.Priority, flow)] = _passedOver.GetValueOrDefault((served.Priority, flow)) + 1;
            LongestPassedOver = Math.Max(LongestPassedOver, count);
        }
    }

    private static bool IsPlain(in RouteRequest request) => request.Subset.IsDefault && request.Excluded.IsDefault;
}
