using Mesh.Core.Routing;

namespace Mesh.Core.FlowControl;

/// <summary>
/// Whether a request may wait. A full waiting room gives the newest place of the lowest priority to a request of higher priority. Where
/// every backend is at target, negative priorities do not wait: they are what is shed first.
/// </summary>
internal sealed class Admission(WaitRoom room)
{
    private readonly DrainRateMeter _drain = new();

    /// <summary>Counts a request that left the pool.</summary>
    public void OnFreed(TimeSpan now) => _drain.Add(now);

    /// <summary>When a refused request should come back.</summary>
    public TimeSpan RetryAfter(TimeSpan now) => _drain.RetryAfter(room.Count, now);

    /// <summary>Why a request may not wait for a backend below target; null when it may.</summary>
    public static DecisionReason? RefusalWhenFull(in RouteRequest request, FlowControlSettings settings) =>
        request.Priority < 0 ? DecisionReason.PriorityShed : settings.WhenFull != WhenFull.Queue ? DecisionReason.Saturated : null;

    /// <summary>Makes room for a request, at the cost of lower ones if need be, and lets it in; null when there is no room.</summary>
    /// <param name="request">The request.</param>
    /// <param name="settings">Bounds.</param>
    /// <param name="now">Now.</param>
    /// <param name="maxWait">When the wait ends by itself.</param>
    /// <param name="evicted">Called with each request that has to leave, before it does.</param>
    public Waiter? TryEnter(in RouteRequest request, FlowControlSettings settings, TimeSpan now, TimeSpan maxWait, Action<Waiter> evicted)
    {
        // Nobody loses a place for a request that does not fit all the same.
        var (requests, bytes) = room.Below(request.Priority);
        if (room.Count - requests >= settings.MaxWaitingRequests || room.Bytes - bytes + request.BodyBytes > settings.MaxWaitingBytes) return null;
        while (!room.HasRoomFor(in request, settings)) Evict(now, evicted);
        return room.Add(in request, now, now + maxWait);
    }

    /// <summary>Keeps bounds that have become narrower.</summary>
    public void Trim(FlowControlSettings settings, TimeSpan now, Action<Waiter> evicted)
    {
        while (room.Count > settings.MaxWaitingRequests || room.Bytes > settings.MaxWaitingBytes) Evict(now, evicted);
    }

    private void Evict(TimeSpan now, Action<Waiter> evicted)
    {
        var last = room.Last!;
        evicted(last);
        room.Refuse(last, RouteDecision.Refuse(DecisionReason.QueueEvicted, RetryAfter(now)));
    }

    /// <summary>
    /// Order inside a flow, lower first. Fcfs: time of arrival. Shortest: the work that the prompt still needs, and 20 ms of it for each
    /// second that a later arrival came later, so that a long prompt's turn comes.
    /// </summary>
    public static double KeyOf(double ownMs, QueueOrder order, TimeSpan enqueuedAt)
    {
        const double AgeingMsPerSecond = 20;
        return order == QueueOrder.Fcfs ? enqueuedAt.TotalSeconds : ownMs + AgeingMsPerSecond * enqueuedAt.TotalSeconds;
    }
}
