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
    private readonly Queue<(long Ticket, RouteDecision Decision)> _decided = new();
    private readonly FreeList<Waiter> _spare = new();
    private long _bytes;
    private long _lastTicket;

    /// <summary>Requests waiting in the order of service.</summary>
    public WaitQueue Queue { get; } = new();

    public int Count => _byTicket.Count;

    public long Bytes => _bytes;

    /// <summary>When the first of the waits ends by itself; null when nobody waits.</summary>
    public TimeSpan? NextDeadline => _deadlines.Min?.Deadline;

    /// <summary>True when a request of this priority would have to queue behind another.</summary>
    public bool IsBehind(int priority) => Queue.HighestPriority >= priority;

    /// <summary>True when one more request fits within the bounds.</summary>
    public bool HasRoomFor(in RouteRequest request, FlowControlSettings settings) =>
        Count < settings.MaxWaitingRequests && _bytes + request.BodyBytes <= settings.MaxWaitingBytes;

    /// <summary>Lets a request wait. The caller has made room.</summary>
    public Waiter Add(in RouteRequest request, double key, TimeSpan now, TimeSpan deadline)
    {
        var waiter = _spare.Take();
        waiter.Ticket = ++_lastTicket;
        waiter.Request = request;
        waiter.EnqueuedAt = now;
        waiter.Deadline = deadline;
        waiter.Key = key;
        _byTicket.Add(waiter.Ticket, waiter);
        _deadlines.Add(waiter);
        _bytes += request.BodyBytes;
        Queue.Add(waiter);
        return waiter;
    }

    public bool TryFind(long ticket, [NotNullWhen(true)] out Waiter? waiter) => _byTicket.TryGetValue(ticket, out waiter);

    /// <summary>Ends a wait because its request has got a place.</summary>
    public void Serve(Waiter waiter, RouteDecision decision)
    {
        _decided.Enqueue((waiter.Ticket, decision));
        Take(waiter, served: true);
    }

    /// <summary>Ends a wait without a place.</summary>
    public void Refuse(Waiter waiter, RouteDecision decision)
    {
        _decided.Enqueue((waiter.Ticket, decision));
        Take(waiter, served: false);
    }

    /// <summary>Ends a wait of which nobody wants to hear any more.</summary>
    public void Forget(Waiter waiter) => Take(waiter, served: false);

    /// <summary>Ends the waits of a session that is gone.</summary>
    public void ForgetSession(GatewaySession session)
    {
        if (Count == 0) return;
        foreach (var waiter in _byTicket.Values.Where(w => w.Request.Session == session).ToArray()) Forget(waiter);
    }

    /// <summary>The first request whose wait has ended by now; null when there is none.</summary>
    public Waiter? Overdue(TimeSpan now) => _deadlines.Min is { } first && first.Deadline <= now ? first : null;

    /// <summary>Tickets whose requests have been decided, in the order in which they were.</summary>
    public bool TryTakeDecided(out long ticket, out RouteDecision decision)
    {
        var taken = _decided.TryDequeue(out var entry);
        (ticket, decision) = entry;
        return taken;
    }

    private void Take(Waiter waiter, bool served)
    {
        _byTicket.Remove(waiter.Ticket);
        _deadlines.Remove(waiter);
        _bytes -= waiter.Request.BodyBytes;
        Queue.Remove(waiter, served);
        waiter.Request = default;
        _spare.Return(waiter);
    }
}
