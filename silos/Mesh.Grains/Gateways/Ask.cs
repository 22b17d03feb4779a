using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>
/// One request on its way to a decision, however often it is asked. The link's lock guards everything but <see cref="Task"/>.
/// </summary>
internal sealed class Ask(RouteCall call, in RouteRequest request, long begunAt) : IThreadPoolWorkItem
{
    private static readonly RouteCall Unasked = new();

    // Who waits goes on wherever the answer is handed out: by whoever has nothing else to do, or else by the thread pool.
    private readonly TaskCompletionSource<RouteDecision> _answer = new();
    private readonly RouteRequest _request = request;
    private RouteDecision _decision;

    /// <summary>One that was decided without asking.</summary>
    public static Ask Decided(in RouteRequest request, in RouteDecision decision)
    {
        var ask = new Ask(Unasked, in request, 0);
        ask.Decide(in decision);
        ask.Answer();
        return ask;
    }

    /// <summary>One that another shard is to be asked.</summary>
    public static Ask Moved(in RouteRequest request)
    {
        var ask = new Ask(Unasked, in request, 0);
        ask.Move();
        return ask;
    }

    /// <summary>The link's number of it.</summary>
    public long Number => call.Number;

    /// <summary>The decision.</summary>
    public Task<RouteDecision> Task => _answer.Task;

    /// <summary>When it came.</summary>
    public long BegunAt { get; } = begunAt;

    /// <summary>When it was last asked.</summary>
    public long AskedAt { get; set; } = begunAt;

    /// <summary>Which attempt counts: an older one that is still under way goes on only for its answer.</summary>
    public int Attempt { get; set; }

    /// <summary>True once it is decided or given up.</summary>
    public bool IsDone { get; private set; }

    /// <summary>True while it is to go with the next message.</summary>
    public bool IsFresh { get; set; }

    /// <summary>True while it is with a message that is expected back.</summary>
    public bool IsFlying { get; set; }

    /// <summary>The call, for a message that says itself for whom it is.</summary>
    public RouteCall Call => call;

    /// <summary>True once the pool may have heard of it.</summary>
    public bool WasAsked { get; set; }

    /// <summary>True when it ended without a decision because another shard has to be asked; set before <see cref="Task"/> ends.</summary>
    public bool IsMoved { get; private set; }

    /// <summary>True while the gateway itself looks for a place.</summary>
    public bool IsWithStandIn { get; set; }

    /// <summary>Watches for the client's leaving.</summary>
    public CancellationTokenRegistration Leaving { get; set; }

    /// <summary>The request, for a state that the gateway keeps by itself.</summary>
    public ref readonly RouteRequest Request => ref _request;

    /// <summary>The call as it goes to one activation.</summary>
    public RouteCall CallFor(long epoch, int session, long settled) =>
        call.Epoch == epoch && call.Session == session ? call : call with { Epoch = epoch, Session = session, Settled = settled };

    /// <summary>The lease that a placement makes, as it would be announced.</summary>
    public HeldLease Hold(in RouteDecision decision, int assumedOutputTokens) => new(
        decision.Lease, decision.Endpoint, call.PromptTokens, call.MaxOutputTokens > 0 ? call.MaxOutputTokens : assumedOutputTokens, FirstByteSeen: false)
    {
        Region = decision.Kind == RouteKind.Forward ? decision.Region : null,
        OriginRegion = call.OriginRegion,
        Work = decision.Work,
        IsWhole = !call.IsStreaming,
        Model = call.Model,
    };

    /// <summary>Ends it under the link's lock; false when it has ended already.</summary>
    public bool TryEnd()
    {
        if (IsDone) return false;
        return IsDone = true;
    }

    /// <summary>Keeps the decision until it is handed out; by who has ended it alone.</summary>
    public void Decide(in RouteDecision decision)
    {
        Leaving.Unregister();
        _decision = decision;
    }

    /// <summary>Hands the decision out, and goes on with whoever waits for it: the last thing that the caller does, outside the lock.</summary>
    public void Answer() => _answer.TrySetResult(_decision);

    /// <summary>Has the decision handed out by the thread pool.</summary>
    public void AnswerSoon() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: true);

    /// <summary>Ends it without a decision: another shard is to be asked.</summary>
    public void Move()
    {
        Leaving.Unregister();
        IsMoved = true;
        ThreadPool.UnsafeQueueUserWorkItem(static answer => answer.TrySetResult(default), _answer, preferLocal: true);
    }

    /// <summary>The client has left.</summary>
    public void Leave(CancellationToken cancellationToken) => ThreadPool.UnsafeQueueUserWorkItem(
        static who => who.Answer.TrySetCanceled(who.Token), (Answer: _answer, Token: cancellationToken), preferLocal: true);

    void IThreadPoolWorkItem.Execute() => Answer();
}
