using Mesh.Core.Routing;

namespace Mesh.Engine;

/// <summary>
/// The callers whose requests wait in one pool, by ticket. Not thread-safe: the pool's lock guards it; only
/// <see cref="Answers.Deliver"/> is for outside the lock, because a caller goes on at once.
/// </summary>
internal sealed class WaitingRoutes(PoolState state)
{
    private readonly Dictionary<long, TaskCompletionSource<RouteDecision>> _byTicket = [];
    private bool _tickIsAsked;

    /// <summary>Callers that wait.</summary>
    public int Count => _byTicket.Count;

    /// <summary>A caller waits from now on.</summary>
    public Task<RouteDecision> Add(long ticket)
    {
        var waiting = new TaskCompletionSource<RouteDecision>(TaskCreationOptions.RunContinuationsAsynchronously);
        _byTicket.Add(ticket, waiting);
        return waiting.Task;
    }

    /// <summary>The caller has left. False when its request is decided already: its answer is on the way.</summary>
    public TaskCompletionSource<RouteDecision>? Cancel(long ticket) =>
        state.CancelWait(ticket) && _byTicket.Remove(ticket, out var waiting) ? waiting : null;

    /// <summary>Takes what the state has decided since the last call.</summary>
    public Answers Collect()
    {
        List<(TaskCompletionSource<RouteDecision>, RouteDecision)>? answers = null;
        while (state.TryTakeDecided(out var ticket, out var decision))
        {
            if (_byTicket.Remove(ticket, out var waiting)) (answers ??= []).Add((waiting, decision));
            else if (decision.Kind is RouteKind.Send or RouteKind.Forward) state.Complete(decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
        }

        // Asked for once: until the tick has come, asking again would only wake it up again.
        var needsTick = !_tickIsAsked && state.NeedsTickSooner;
        _tickIsAsked |= needsTick;
        return new Answers(answers, needsTick);
    }

    /// <summary>As <see cref="Collect"/>, when time has just been looked at.</summary>
    public Answers CollectAfterTick()
    {
        _tickIsAsked = false;
        return Collect();
    }

    /// <summary>Turns every caller away.</summary>
    public Answers RefuseAll(DecisionReason reason)
    {
        var answers = new List<(TaskCompletionSource<RouteDecision>, RouteDecision)>();
        foreach (var (_, waiting) in _byTicket)
        {
            answers.Add((waiting, RouteDecision.Refuse(reason)));
        }

        var tickets = _byTicket.Keys.ToArray();
        _byTicket.Clear();
        foreach (var ticket in tickets) state.CancelWait(ticket);
        // One that leaves may have made room for another: nobody takes that lease any more.
        Collect();
        return new Answers(answers, needsTick: false);
    }
}

/// <summary>Decisions for callers that wait.</summary>
internal readonly struct Answers(List<(TaskCompletionSource<RouteDecision> Waiting, RouteDecision Decision)>? answers, bool needsTick)
{
    /// <summary>True when the pool has to look at the time sooner than it said.</summary>
    public bool NeedsTick => needsTick;

    /// <summary>Hands them out.</summary>
    public void Deliver()
    {
        if (answers is null) return;
        foreach (var (waiting, decision) in answers) waiting.TrySetResult(decision);
    }
}
