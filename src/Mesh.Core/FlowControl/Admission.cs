using Mesh.Core.Routing;

namespace Mesh.Core.FlowControl;

/// <summary>
/// What becomes of a request when every backend is at target: it waits, or it is refused. A full queue gives the newest place of its
/// lowest band to a request of higher priority. Negative priorities never wait: they are what is shed first.
/// </summary>
internal sealed class Admission(WaitRoom room)
{
    private readonly DrainRateMeter _drain = new();

    /// <summary>Counts a request that left the pool.</summary>
    public void OnFreed(TimeSpan now) => _drain.Add(now);

    /// <summary>When a refused request should come back.</summary>
    public TimeSpan RetryAfter(TimeSpan now) => _drain.RetryAfter(room.Count, now);

    /// <summary>Lets a request wait; null with the reason when it may not.</summary>
    public Waiter? TryAdmit(in RouteRequest request, FlowControlSettings settings, TimeSpan now, out DecisionReason refusal)
    {
        refusal = request.Priority < 0 ? DecisionReason.PriorityShed
            : settings.WhenFull != WhenFull.Queue ? DecisionReason.Saturated
            : DecisionReason.QueueFull;
        if (refusal != DecisionReason.QueueFull) return null;

        // Nobody loses a place for a request that does not fit all the same.
        var (requests, bytes) = room.Queue.Below(request.Priority);
        if (room.Count - requests >= settings.MaxWaitingRequests || room.Bytes - bytes + request.BodyBytes > settings.MaxWaitingBytes) return null;
        while (!room.HasRoomFor(in request, settings)) Evict(now);

        refusal = DecisionReason.None;
        return room.Add(in request, KeyOf(in request, settings.Order, now), now, now + settings.MaxWait);
    }

    /// <summary>Keeps bounds that have become narrower.</summary>
    public void Trim(FlowControlSettings settings, TimeSpan now)
    {
        while (room.Count > settings.MaxWaitingRequests || room.Bytes > settings.MaxWaitingBytes) Evict(now);
    }

    private void Evict(TimeSpan now) => room.Refuse(room.Queue.Last!, RouteDecision.Refuse(DecisionReason.QueueEvicted, RetryAfter(now)));

    /// <summary>
    /// Order inside a flow, lower first. Fcfs: time of arrival. Shortest: prompt tokens, plus what a later arrival has to make up for: a
    /// prompt may be overtaken by one that is 800 tokens shorter per second of its wait.
    /// </summary>
    private static double KeyOf(in RouteRequest request, QueueOrder order, TimeSpan now)
    {
        const double AgeingTokensPerSecond = 800;
        return order == QueueOrder.Fcfs ? now.TotalSeconds : request.PromptTokens + AgeingTokensPerSecond * now.TotalSeconds;
    }
}
