using Mesh.Core.FlowControl;

namespace Mesh.Core.Routing;

/// <summary>
/// Finds the requests that wait for one endpoint when another, which is free, has become cheaper for them. Only the head of an endpoint's queue is asked, for
/// the others come after it; and of many queues some at a time, in turn. Not thread-safe.
/// </summary>
internal sealed class QueueHeads(EndpointQueues queues, Chooser chooser)
{
    // Each costs a choice. In a pool with more queues than that, hardly a request is better off than where it was sent first.
    private const int MostAsked = 32;
    // As long as nobody wants to leave, it is not worth while to ask at every event: at most a tenth of the time or so is spent on it.
    private static readonly TimeSpan PauseForEach = TimeSpan.FromMicroseconds(20);
    private TimeSpan _notBefore;
    private int _next;

    /// <summary>
    /// The first in the order of service of those whose cheapest endpoint could begin at once: higher priority, then lower key. Null when there is none.
    /// </summary>
    public (Waiter Waiter, Placement Placement)? FirstThatLeaves(long timestamp, TimeSpan now)
    {
        if (queues.Count == 0 || now < _notBefore || !chooser.Placer.MayHaveIdle(now)) return null;
        Waiter? first = null;
        var where = default(Placement);
        var asked = Math.Min(queues.Count, MostAsked);
        for (var left = asked; left > 0; left--)
        {
            if (++_next >= queues.Count) _next = 0;
            var endpoint = queues[_next];
            if (endpoint.Queue.Head is not { } waiter || (first is not null && !IsBefore(waiter, first))) continue;
            var placement = chooser.ChooseAgain(waiter, timestamp, now);
            if (placement.Endpoint is null || placement.Endpoint == endpoint || !placement.Ready) continue;
            (first, where) = (waiter, placement);
        }

        if (first is not null) return (first, where);
        _notBefore = now + asked * PauseForEach;
        return null;
    }

    private static bool IsBefore(Waiter a, Waiter b) =>
        a.Request.Priority != b.Request.Priority ? a.Request.Priority > b.Request.Priority : Waiter.ByKey.IsBefore(a, b);
}
