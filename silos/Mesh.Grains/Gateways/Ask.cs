using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Grains.Contracts;

namespace Mesh.Grains.Gateways;

/// <summary>
/// One request on its way to a decision, however often it is asked. The link's lock guards everything but <see cref="Task"/>.
/// </summary>
internal sealed class Ask(RouteCall call, in RouteRequest request, long begunAt)
{
    private static readonly RouteCall Unasked = new();
    private readonly TaskCompletionSource<RouteDecision> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly RouteRequest _request = request;

    /// <summary>One that was decided without asking.</summary>
    public static Ask Decided(in RouteRequest request, in RouteDecision decision)
    {
        var ask = new Ask(Unasked, in request, 0);
        ask.Answer(in decision);
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
        decision.Lease, decision.Endpoint, call.PromptTokens, call.MaxOutputTokens > 0 ? call.MaxOutputTokens : assumedOutputTokens, FirstByteSeen: false);

    /// <summary>Ends it under the link's lock; false when it has ended already.</summary>
    public bool TryEnd()
    {
        if (IsDone) return false;
        return IsDone = true;
    }

    /// <summary>Hands the decision out, outside the lock.</summary>
    public void Answer(in RouteDecision decision)
    {
        Leaving.Unregister();
        _answer.TrySetResult(decision);
    }

    /// <summary>Ends it without a decision, outside the lock: another shard is to be asked.</summary>
    public void Move()
    {
        Leaving.Unregister();
        IsMoved = true;
        _answer.TrySetResult(default);
    }

    /// <summary>The client has left.</summary>
    public void Leave(CancellationToken cancellationToken) => _answer.TrySetCanceled(cancellationToken);
}
