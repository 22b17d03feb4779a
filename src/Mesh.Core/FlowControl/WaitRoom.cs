using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Leases;
using Mesh.Core.Routing;

namespace Mesh.Core.FlowControl;

/// <summary>
/// The requests that wait for a place in a pool: bounded in number, bytes and time, each found by its ticket. What becomes of them lies
/// ready for the host until it takes it.
/// </summary>
internal sealed class WaitRoom
{
    private readonly Dictionary<long, Waiter> _byTicket = [];
    private readonly IntrusiveHeap<Waiter, Waiter.ByDeadline> _deadlines = new();
    private readonly IntrusiveHeap<Waiter, Waiter.ByRank> _ranks = new();
    private readonly Queue<(long Ticket, RouteDecision Decision, string RequestId, TimeSpan EnqueuedAt)> _decided = new();
    private readonly SortedList<int, (int Requests, long Bytes)> _byPriority = [];
    private readonly FreeList<Waiter> _spare = new();
    private long _bytes;
    private long _lastTicket;

    /// <summary>Requests that wait for any endpoint with room, in the order of service. Those that wait for one stand in its own queue.</summary>
    public WaitQueue Queue { get; } = new();

    public int Count => _byTicket.Count;

    public long Bytes => _bytes;

    /// <summary>All waiting requests, in no order.</summary>
    public IEnumerable<Waiter> All => _byTicket.Values;

    /// <summary>When the first of the waits ends by itself; null when nobody waits.</summary>
    public TimeSpan? NextDeadline => _deadlines.Min?.Deadline;

    /// <summary>True when a request of this priority would have to queue behind another.</summary>
    public bool IsBehind(int priority) => Queue.HighestPriority >= priority;

    /// <summary>True when one more request fits within the bounds.</summary>
    public bool HasRoomFor(in RouteRequest request, FlowControlSettings settings) =>
        Count < settings.MaxWaitingRequests && _bytes + request.BodyBytes <= settings.MaxWaitingBytes;

    /// <summary>Lets a request wait, in no queue yet. The caller has made room.</summary>
    public Waiter Add(in RouteRequest request, TimeSpan now, TimeSpan deadline)
    {
        var waiter = _spare.Take();
        waiter.Ticket = ++_lastTicket;
        waiter.Request = request;
        waiter.EnqueuedAt = now;
        waiter.Deadline = deadline;
        _byTicket.Add(waiter.Ticket, waiter);
        _deadlines.Add(waiter);
        _ranks.Add(waiter);
        Note(waiter, 1);
        _bytes += request.BodyBytes;
        return waiter;
    }

    /// <summary>The newest request of the lowest priority, which loses its place first; null when nobody waits.</summary>
    public Waiter? Last => _ranks.Min;

    /// <summary>Requests and bytes of lower priority: what a request could take the places of.</summary>
    public (int Requests, long Bytes) Below(int priority)
    {
        var (requests, bytes) = (0, 0L);
        // By index: this list's enumerator is an object.
        for (var i = 0; i < _byPriority.Count && _byPriority.GetKeyAtIndex(i) < priority; i++)
        {
            var load = _byPriority.GetValueAtIndex(i);
            requests += load.Requests;
            bytes += load.Bytes;
        }

        return (requests, bytes);
    }

    public bool TryFind(long ticket, [NotNullWhen(true)] out Waiter? waiter) => _byTicket.TryGetValue(ticket, out waiter);

    /// <summary>Ends a wait because its request has got a place.</summary>
    public void Serve(Waiter waiter, RouteDecision decision)
    {
        _decided.Enqueue((waiter.Ticket, decision, waiter.Request.RequestId, waiter.EnqueuedAt));
        Take(waiter, served: true);
    }

    /// <summary>Ends a wait without a place.</summary>
    public void Refuse(Waiter waiter, RouteDecision decision)
    {
        _decided.Enqueue((waiter.Ticket, decision, waiter.Request.RequestId, waiter.EnqueuedAt));
        Take(waiter, served: false);
    }

    /// <summary>Ends a wait of which nobody wants to hear any more.</summary>
    public void Forget(Waiter waiter) => Take(waiter, served: false);

    /// <summary>Waits of a session.</summary>
    public Waiter[] OfSession(GatewaySession session) => Count == 0 ? [] : [.. _byTicket.Values.Where(w => w.Request.Session == session).OrderBy(w => w.Ticket)];

    /// <summary>The first request whose wait has ended by now; null when there is none.</summary>
    public Waiter? Overdue(TimeSpan now) => _deadlines.Min is { } first && first.Deadline <= now ? first : null;

    /// <summary>Tickets whose requests have been decided, in the order in which they were.</summary>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision) => TryTakeDecided(out ticket, out decision, out _, out _);

    /// <summary>As before, with whose the ticket was and since when it waited.</summary>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision, out string requestId, out TimeSpan enqueuedAt)
    {
        var taken = _decided.TryDequeue(out var entry);
        (ticket, decision, requestId, enqueuedAt) = entry;
        return taken;
    }

    private void Note(Waiter waiter, int change)
    {
        var priority = waiter.Request.Priority;
        var (requests, bytes) = _byPriority.GetValueOrDefault(priority);
        if (requests + change == 0) _byPriority.Remove(priority);
        else _byPriority[priority] = (requests + change, bytes + (long)change * waiter.Request.BodyBytes);
    }

    private void Take(Waiter waiter, bool served)
    {
        _byTicket.Remove(waiter.Ticket);
        _deadlines.Remove(waiter);
        _ranks.Remove(waiter);
        _bytes -= waiter.Request.BodyBytes;
        Note(waiter, -1);
        waiter.Queue?.Remove(waiter, served);
        waiter.Request = default;
        waiter.Endpoint = null;
        waiter.OwnMs = 0;
        _spare.Return(waiter);
    }
}
