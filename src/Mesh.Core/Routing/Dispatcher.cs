using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Leases;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reports;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Routing;

/// <summary>
/// The requests that wait, and who is next. They wait in two kinds of place: in the pool's queue for a backend below target, and in an
/// endpoint's queue for that endpoint to have less work outstanding. Both serve strict priorities, flows in turn, and the order of the
/// pool's setting inside a flow.
/// </summary>
internal sealed class Dispatcher
{
    // Requests that fit nowhere must not hold up the pool: it asks so many that want different things, and then stops.
    private const int MaxTries = 128;
    // Requests that one report can move from their queues to a peer.
    private const int MostMoved = 16;

    private readonly PoolClock _clock;
    private readonly Chooser _chooser;
    private readonly Reservations _reservations;
    private readonly EndpointQueues _queues;
    private readonly QueueHeads _heads;
    private readonly Action<Waiter> _leaving;

    public Dispatcher(PoolClock clock, Chooser chooser, Reservations reservations)
    {
        _clock = clock;
        _chooser = chooser;
        _reservations = reservations;
        _queues = new EndpointQueues(chooser, reservations);
        _heads = new QueueHeads(_queues, chooser);
        // Once: a delegate made at every call would be garbage at every call.
        _leaving = _queues.Leave;
    }

    /// <summary>Who waits.</summary>
    public required WaitRoom Room { get; init; }

    public required Admission Admission { get; init; }

    /// <summary>Set with every configuration.</summary>
    public required FlowControlSettings Settings { get; set; }

    /// <summary>
    /// Longest wait for an endpoint: that of the request itself. Sending it earlier would not have it answered earlier. Set with every
    /// configuration.
    /// </summary>
    public required TimeSpan RequestTimeout { get; set; }

    private BackendTable Backends => _reservations.Backends;

    private PeerTable Peers => _reservations.Peers;

    /// <summary>When the first endpoint that requests wait for may take one; null when none is awaited.</summary>
    public TimeSpan? NextReady => _queues.NextReady;

    /// <summary>Places a request: sends it, lets it wait, or refuses it.</summary>
    public RouteDecision Place(in RouteRequest request, SessionState session, long timestamp, TimeSpan now)
    {
        // :: Step 1: those who wait come first; what is then left, none of them could take.
        var askedAll = Dispatch();
        if (_reservations.Leases.IsFull) return RouteDecision.Refuse(DecisionReason.TooManyLeases);
        var isPeers = request.OriginRegion is not null;
        // A peer says when its own region and all others are at target; else it only sends what fits.
        var overfill = Settings.WhenFull == WhenFull.Overfill && request.Priority >= 0 && (!isPeers || request.OriginReason == DecisionReason.Overfill);
        var placement = _chooser.Choose(in request, timestamp, now, overfill);

        // :: Step 2: send, or wait for the endpoint that was chosen; where no more may wait, it is sent at once. A sticky session, which
        // no target stops, does not pass those who wait.
        var free = askedAll && (placement.WithinTarget || placement.Reason == DecisionReason.LastResort);
        var comesNext = free || !Room.IsBehind(request.Priority);
        if (placement.Peer is not null && comesNext) return _reservations.Forward(in request, session, in placement, now);
        if (placement.Endpoint is { } endpoint && comesNext)
        {
            if (isPeers) Peers.OnReceivedPlaced(now);
            if (!placement.Ready && Admission.TryEnter(in request, Settings, now, RequestTimeout, _leaving) is { } waiting)
            {
                WaitFor(waiting, in placement, placement.WithinTarget, now);
                return RouteDecision.Wait(waiting.Ticket);
            }
            var sent = _reservations.Reserve(in request, session, in placement, counted: false, now);
            OnWorkChanged(endpoint);
            return sent;
        }

        // :: Step 3: no room: wait for it, or leave.
        if (!placement.Found && placement.Reason != DecisionReason.Saturated) return RouteDecision.Refuse(placement.Reason);
        if (isPeers)
        {
            if (!request.IsTentative) Peers.OnReceivedRefused();
            return RouteDecision.Refuse(DecisionReason.PeerFull, Admission.RetryAfter(now));
        }
        if (Admission.RefusalWhenFull(in request, Settings) is { } refusal) return RouteDecision.Refuse(refusal, Admission.RetryAfter(now));
        if (Admission.TryEnter(in request, Settings, now, Settings.MaxWait, _leaving) is not { } waiter)
        {
            return RouteDecision.Refuse(DecisionReason.QueueFull, Admission.RetryAfter(now));
        }
        waiter.Key = Admission.KeyOf(_reservations.Costs.Curve.PromptMs(request.PromptTokens, 0), Settings.Order, now);
        Room.Queue.Add(waiter);
        return RouteDecision.Wait(waiter.Ticket);
    }

    /// <summary>Ends a wait whose client has left; false when it is over already.</summary>
    public bool Cancel(long ticket)
    {
        if (!Room.TryFind(ticket, out var waiter)) return false;
        _queues.Leave(waiter);
        Room.Forget(waiter);
        return true;
    }

    /// <summary>Ends the waits of a session that is gone.</summary>
    public void Forget(GatewaySession session)
    {
        foreach (var waiter in Room.OfSession(session))
        {
            _queues.Leave(waiter);
            Room.Forget(waiter);
        }
    }

    /// <summary>Ends waits that have lasted as long as they may: who waits for an endpoint is sent there, who waits for room is refused.</summary>
    public void EndOverdue(long timestamp, TimeSpan now)
    {
        while (Room.Overdue(now) is { } overdue)
        {
            var reason = DecisionReason.QueueTimeout;
            if (overdue.Endpoint is not null && Session(overdue) is { } session && !_reservations.Leases.IsFull)
            {
                var placement = _chooser.ChooseAgain(overdue, timestamp, now);
                if (placement.Found)
                {
                    Serve(overdue, session, in placement, now);
                    continue;
                }
                reason = placement.Reason;
            }
            _queues.Leave(overdue);
            Room.Refuse(overdue, RouteDecision.Refuse(reason, Admission.RetryAfter(now)));
        }
    }

    /// <summary>Requests that wait for an endpoint which takes no more are placed anew.</summary>
    public void Evacuate(EndpointState endpoint)
    {
        if (endpoint.QueueCount == 0) return;
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        // Once for each: the last resort may be this very endpoint.
        for (var left = endpoint.QueueCount; left > 0 && endpoint.Queue.Head is { } waiter; left--)
        {
            _queues.Leave(waiter);
            endpoint.Queue.Remove(waiter, served: false);
            waiter.Endpoint = null;
            var placement = _chooser.Choose(waiter.Request, timestamp, now, overfill: true);
            var isFull = _reservations.Leases.IsFull;
            if (!placement.Found) Room.Refuse(waiter, RouteDecision.Refuse(placement.Reason, Admission.RetryAfter(now)));
            else if (Session(waiter) is not { } session) Room.Forget(waiter);
            else if (isFull && placement.Peer is not null) Room.Refuse(waiter, RouteDecision.Refuse(DecisionReason.TooManyLeases, Admission.RetryAfter(now)));
            // Where no lease is left, it waits for one, wherever it could go at once.
            else if (placement.Ready && !isFull) Serve(waiter, session, in placement, now);
            else WaitFor(waiter, in placement, placement.WithinTarget, now);
        }
        _queues.Await(endpoint, now);
    }

    /// <summary>An endpoint's work has changed: so has the moment at which it may take another request.</summary>
    public void OnWorkChanged(EndpointState endpoint)
    {
        if (endpoint.ReadyIndex >= 0) _queues.Await(endpoint, _clock.SinceStart(_clock.Now));
    }

    /// <summary>Keeps bounds that have become narrower.</summary>
    public void Trim() => Admission.Trim(Settings, _clock.SinceStart(_clock.Now), _leaving);

    /// <summary>
    /// Gives waiting requests the places that there are: highest band first, flows in turn, and past a request that only fits elsewhere.
    /// False when the last place was not offered to all of those who wait for room.
    /// </summary>
    public bool Dispatch()
    {
        if (Room.Count == 0) return true;
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        var overfill = Settings.WhenFull == WhenFull.Overfill;
        var askedAll = true;
        while (_queues.Ready(now) is { } ready && !_reservations.Leases.IsFull) ServeNext(ready, timestamp, now);
        while (!_reservations.Leases.IsFull && _heads.FirstThatLeaves(timestamp, now) is { } leaving) ServeElsewhere(leaving.Waiter, leaving.Placement, now);
        while (Room.Queue.Count > 0 && !_reservations.Leases.IsFull && (overfill || Backends.Selector.HasRoom(now) || Peers.HasCredits(now))
            && DispatchOne(timestamp, now, overfill, out askedAll))
        {
        }

        return askedAll;
    }

    /// <summary>
    /// A peer may have room: the newest requests of the lowest priority, which have longest to wait for their endpoints here, go there where that is quicker.
    /// </summary>
    public void OfferToPeers()
    {
        if (Room.Count == 0 || !Backends.IsFree) return;
        var timestamp = _clock.Now;
        var now = _clock.SinceStart(timestamp);
        if (Peers.HasPreferred(now)) return;
        for (var moved = 0; moved < MostMoved && !_reservations.Leases.IsFull && Peers.HasCredits(now); moved++)
        {
            if (Room.Last is not { Endpoint: { BackendIndex: >= 0 } endpoint } waiter || Session(waiter) is not { } session) return;
            if (_chooser.CheaperPeer(waiter, endpoint, timestamp, now) is not { } placement) return;
            Serve(waiter, session, in placement, now);
            OnWorkChanged(endpoint);
        }
    }

    /// <summary>What flows get in another region counts as turns that they have had: their shares are judged over all regions.</summary>
    /// <param name="usage">What a peer tells, ordered by hash.</param>
    /// <param name="during">Time since it told last.</param>
    public void OnServedElsewhere(ImmutableArray<FlowUsage> usage, TimeSpan during)
    {
        if (Room.Count == 0) return;
        var seconds = Math.Clamp(during.TotalSeconds, 0, 1);
        Room.Queue.Charge(usage, seconds);
        foreach (var endpoint in _reservations.Endpoints.Configured)
        {
            if (endpoint.QueueCount > 0) endpoint.Queue.Charge(usage, seconds);
        }
    }

    private SessionState? Session(Waiter waiter) => _reservations.Sessions.Find(waiter.Request.Session);

    // :: An endpoint's queue

    private void ServeNext(EndpointState endpoint, long timestamp, TimeSpan now)
    {
        if (endpoint.Queue.Head is not { } waiter)
        {
            _queues.Await(endpoint, now);
            return;
        }

        var placement = _chooser.ChooseAgain(waiter, timestamp, now);
        if (!placement.Found || Session(waiter) is not { } session)
        {
            _queues.Leave(waiter);
            Room.Refuse(waiter, RouteDecision.Refuse(placement.Reason, Admission.RetryAfter(now)));
        }
        else if (placement.Endpoint == endpoint || placement.Ready)
        {
            Serve(waiter, session, in placement, now);
        }
        else
        {
            _queues.Leave(waiter);
            endpoint.Queue.Remove(waiter, served: false);
            WaitFor(waiter, in placement, withinTarget: false, now);
        }
        _queues.Await(endpoint, now);
    }

    private void ServeElsewhere(Waiter waiter, Placement placement, TimeSpan now)
    {
        var endpoint = waiter.Endpoint!;
        if (Session(waiter) is { } session)
        {
            Serve(waiter, session, in placement, now);
        }
        else
        {
            _queues.Leave(waiter);
            Room.Forget(waiter);
        }
        _queues.Await(endpoint, now);
    }

    private void WaitFor(Waiter waiter, in Placement placement, bool withinTarget, TimeSpan now) =>
        _queues.Add(waiter, in placement, withinTarget, Settings.Order, now);

    private void Serve(Waiter waiter, SessionState session, in Placement placement, TimeSpan now)
    {
        var request = waiter.Request;
        if (placement.Peer is not null)
        {
            _queues.Leave(waiter);
            Room.Serve(waiter, _reservations.Forward(in request, session, in placement, now));
            return;
        }

        var counted = waiter.Endpoint == placement.Endpoint;
        if (counted) EndpointQueues.TakeFromQueued(waiter, placement.Endpoint!);
        else _queues.Leave(waiter);
        Room.Serve(waiter, _reservations.Reserve(in request, session, in placement, counted, now));
        OnWorkChanged(placement.Endpoint!);
    }

    // :: The pool's queue

    private bool DispatchOne(long timestamp, TimeSpan now, bool overfill, out bool askedAll)
    {
        askedAll = true;
        var waiter = Room.Queue.StartPass();
        for (var tries = 0; waiter is not null; tries++, waiter = Room.Queue.RuleOut(waiter))
        {
            if (tries == MaxTries)
            {
                askedAll = false;
                return false;
            }

            if (Session(waiter) is not { } session) continue;
            var placement = _chooser.Choose(waiter.Request, timestamp, now, overfill);
            if (!placement.Found) continue;
            if (placement.Ready)
            {
                Serve(waiter, session, in placement, now);
            }
            else
            {
                Room.Queue.Remove(waiter, served: true);
                WaitFor(waiter, in placement, placement.WithinTarget, now);
            }

            return true;
        }

        return false;
    }
}
