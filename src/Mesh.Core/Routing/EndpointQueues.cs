using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;

namespace Mesh.Core.Routing;

/// <summary>The endpoints' queues: who waits for which endpoint, how much work that is, and which endpoint may take a request next. Not thread-safe.</summary>
internal sealed class EndpointQueues(Chooser chooser, Reservations reservations)
{
    private readonly IntrusiveHeap<EndpointState, EndpointState.ByReadiness> _awaited = new();

    /// <summary>Endpoints that requests wait for.</summary>
    public int Count => _awaited.Count;

    /// <summary>One of them; the order has no meaning.</summary>
    public EndpointState this[int index] => _awaited[index];

    /// <summary>When the first endpoint that requests wait for may take one; null when none is awaited.</summary>
    public TimeSpan? NextReady => _awaited.Min is { } first
        // Rounded up: a tick that comes a hair too soon would have to come again.
        ? TimeSpan.FromTicks((long)Math.Ceiling(Math.Max(0, first.ReadyAtMs) * TimeSpan.TicksPerMillisecond))
        : null;

    /// <summary>The first endpoint that may take a request that waits for it; null when none may yet.</summary>
    public EndpointState? Ready(TimeSpan now) => _awaited.Min is { } first && first.ReadyAtMs <= now.TotalMilliseconds ? first : null;

    /// <summary>A request waits for the endpoint that was chosen for it.</summary>
    public void Add(Waiter waiter, in Placement placement, bool withinTarget, QueueOrder order, TimeSpan now)
    {
        var endpoint = placement.Endpoint!;
        reservations.Backends.OnPlaced(endpoint, now, withinTarget);
        waiter.Endpoint = endpoint;
        waiter.OwnMs = placement.OwnMs;
        waiter.Key = Admission.KeyOf(placement.OwnMs, order, waiter.EnqueuedAt);
        endpoint.Work.QueuedMs += placement.OwnMs;
        endpoint.Queue.Add(waiter);
        Await(endpoint, now);
    }

    /// <summary>An endpoint's queue or work has changed: looks when it may take a request.</summary>
    public void Await(EndpointState endpoint, TimeSpan now)
    {
        if (endpoint.ReadyIndex >= 0) _awaited.Remove(endpoint);
        if (endpoint.QueueCount == 0)
        {
            endpoint.Work.QueuedMs = 0;
            return;
        }
        var nowMs = now.TotalMilliseconds;
        endpoint.ReadyAtMs = nowMs + endpoint.Work.WaitMs(nowMs) - chooser.Placer.BindAheadMs;
        _awaited.Add(endpoint);
    }

    /// <summary>A request leaves the endpoint that it waits for, if it waits for one, without having been sent there; it still stands in the queue.</summary>
    public void Leave(Waiter waiter)
    {
        if (waiter.Endpoint is not { } endpoint) return;
        TakeFromQueued(waiter, endpoint);
        reservations.Backends.OnCompleted(endpoint);
    }

    /// <summary>Takes the work of a request that still stands in the queue from what waits there.</summary>
    public static void TakeFromQueued(Waiter waiter, EndpointState endpoint) =>
        // Sums of many small numbers drift: without the last one it is exactly nothing.
        endpoint.Work.QueuedMs = endpoint.QueueCount <= 1 ? 0 : Math.Max(0, endpoint.Work.QueuedMs - waiter.OwnMs);
}
