using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Pools;

/// <summary>
/// What one gateway session has asked one activation, by the numbers of its calls, so that a call that is asked again gets the same answer.
/// An answer is remembered until the gateway says that it has it, for a bounded time, and for a bounded number of calls. Not thread-safe.
/// </summary>
internal sealed class CallMemory(GatewaySession session, int key, TimeSpan memory, int maxAnswers)
{
    private readonly Dictionary<long, RememberedCall> _calls = [];
    private readonly Queue<(long Number, TimeSpan At)> _inOrder = new();

    /// <summary>Whose calls these are.</summary>
    public GatewaySession Session { get; } = session;

    /// <summary>Number of the session in calls to this activation.</summary>
    public int Key { get; } = key;

    /// <summary>Highest sequence of its batches and announcements; what has a lower one comes too late.</summary>
    public long Sequence { get; set; }

    /// <summary>True when it has to announce what it holds once more: another shard has handed leases of its over.</summary>
    public bool MustAnnounce { get; set; }

    /// <summary>When it was last heard of.</summary>
    public TimeSpan LastSeen { get; set; }

    /// <summary>When the pool's state last heard of it: of calls that are asked again, and of what became of requests, it does not hear whose they are.</summary>
    public TimeSpan LastTold { get; set; }

    /// <summary>Who is to be told of the pool's state; null for nobody.</summary>
    public IPoolWatcher? Watcher { get; set; }

    /// <summary>
    /// Calls below this number have been answered or given up. One that is asked all the same was overtaken on its way: nobody waits for its answer.
    /// </summary>
    public long Settled { get; private set; }

    /// <summary>Calls remembered.</summary>
    public int Count => _calls.Count;

    /// <summary>Calls without a decision.</summary>
    public IEnumerable<RememberedCall> Waiting => _calls.Values.Where(c => c.IsWaiting);

    /// <summary>What the next activation has to remember, beside the calls without a decision.</summary>
    public AnswerHandover[] Answers() =>
    [
        .. _calls.Where(c => !c.Value.IsWaiting && c.Key >= Settled).OrderBy(c => c.Key)
            .Select(c => new AnswerHandover(c.Key, c.Value.IsCancelled ? RouteReply.Of(ReplyKind.StillWaiting, 0) : RouteReply.From(c.Value.Decided, 0))),
    ];

    /// <summary>Remembers what the activation before this one did.</summary>
    public void Restore(ReadOnlySpan<AnswerHandover> answers, TimeSpan now)
    {
        foreach (ref readonly var answer in answers)
        {
            var isCancelled = answer.Reply.Kind == ReplyKind.StillWaiting;
            Remember(answer.Number, new RememberedCall(isCancelled ? default : answer.Reply.ToDecision(), null, null) { IsCancelled = isCancelled }, now);
        }
    }

    /// <summary>What is known of a call; null when it has not been asked.</summary>
    public RememberedCall? Find(long number) => _calls.TryGetValue(number, out var call) ? call : null;

    /// <summary>Remembers a call's answer, or that it waits.</summary>
    public void Remember(long number, in RememberedCall call, TimeSpan now)
    {
        if (_calls.TryAdd(number, call)) _inOrder.Enqueue((number, now));
        else _calls[number] = call;
    }

    /// <summary>Forgets what the gateway has heard of, what is too old, and what is too much. Calls that wait are kept.</summary>
    public void Trim(long settled, TimeSpan now)
    {
        Settled = Math.Max(Settled, settled);

        // Those that wait go to the end once; more rounds would find nothing new.
        for (var left = _inOrder.Count; left > 0 && _inOrder.TryPeek(out var first); left--)
        {
            if (first.Number >= Settled && now - first.At < memory && _inOrder.Count <= maxAnswers) return;
            _inOrder.Dequeue();
            if (_calls.TryGetValue(first.Number, out var call) && call.IsWaiting) _inOrder.Enqueue((first.Number, now));
            else _calls.Remove(first.Number);
        }
    }

    /// <summary>Ends every wait.</summary>
    public void LeaveAll()
    {
        foreach (var call in _calls.Values) call.Leave?.Cancel();
    }
}

/// <summary>One call: its decision, or the wait for it.</summary>
/// <param name="Decision">Decision, where there was one at once.</param>
/// <param name="Waiting">The wait; null without.</param>
/// <param name="Leave">Ends the wait.</param>
internal readonly record struct RememberedCall(RouteDecision Decision, Task<RouteDecision>? Waiting, CancellationTokenSource? Leave)
{
    /// <summary>True when the gateway gave it up: whoever asks late gets nothing.</summary>
    public bool IsCancelled { get; init; }

    /// <summary>The call itself, for as long as it may have to be entered again elsewhere; null once there was a decision at once.</summary>
    public RouteCall? Call { get; init; }

    /// <summary>Its place among all calls that have had to wait.</summary>
    public long Order { get; init; }

    /// <summary>True while there is no decision.</summary>
    public bool IsWaiting => Waiting is { IsCompleted: false };

    /// <summary>The decision, of a call that does not wait; a refusal where the wait was ended.</summary>
    public RouteDecision Decided => Waiting is null ? Decision : Waiting.IsCompletedSuccessfully ? Waiting.Result : RouteDecision.Refuse(DecisionReason.EngineUnreachable);
}
