using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Engine;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Shards;
using Mesh.Grains.Snapshots;

namespace Mesh.Grains.Pools;

/// <summary>
/// The calls that one activation of a pool is asked: each is entered once, however often it is asked, waits where it has to, and keeps its answer
/// until the gateway has it. Runs in the grain's turns alone.
/// </summary>
internal sealed class PoolCalls(SiloMesh mesh, PoolId pool, ShardMember shard)
{
    private readonly List<(RouteCall Call, CallMemory Calls)> _parked = [];
    private TimeSpan? _settlesAt;
    private long _lastWait;
    private CancellationTokenSource? _leave;

    /// <summary>The gateways that have announced themselves, or that the activation before this one knew.</summary>
    public PoolSessions Sessions { get; } = new(mesh.Options);

    /// <summary>The pool's state; null while the pool is not configured.</summary>
    public PoolHost? Host { get; set; }

    /// <summary>Epoch that answers are given under.</summary>
    public long Epoch { get; set; }

    /// <summary>
    /// A gateway has known an earlier activation: until all have had the time to say what they hold, there seems to be more room than there is.
    /// </summary>
    public void Settle(TimeSpan now) => _settlesAt ??= now + mesh.Options.SettleTime;

    /// <summary>As above, also when they have had it before: endpoints have come of which nobody has told what is in flight there.</summary>
    public void SettleAnew(TimeSpan now) => _settlesAt = now + mesh.Options.SettleTime;

    /// <summary>True while calls are kept back until the gateways have told what they hold.</summary>
    public bool Settles(TimeSpan now) => SettlesFor(now) is not null;

    /// <summary>Answers one call, at once or after a wait that is not long.</summary>
    public ValueTask<RouteReply> RouteAsync(RouteCall call, CallMemory calls, TimeSpan now)
    {
        calls.LastSeen = now;
        calls.Trim(call.Settled, now);
        var reply = Enter(call, calls, now, out var waiting);
        if (waiting is not null) return new ValueTask<RouteReply>(PollAsync(call, waiting));
        return SettlesFor(now) is { } left ? new ValueTask<RouteReply>(AskAgainAsync(left)) : new ValueTask<RouteReply>(reply);
    }

    /// <summary>Answers many calls at once: those that have to wait are told so, and have their place in the queue.</summary>
    public RouteReply[] Enter(RouteCall[] many, long settled, CallMemory calls, TimeSpan now)
    {
        calls.Trim(settled, now);
        var replies = many.Length == 0 ? [] : new RouteReply[many.Length];
        for (var i = 0; i < many.Length; i++) replies[i] = Enter(many[i], calls, now, out _);
        return replies;
    }

    /// <summary>A call that waits at its gateway: it has its place in the queue before the gateway asks for the answer.</summary>
    public void Park(RouteCall call, CallMemory calls) => _parked.Add((call, calls));

    /// <summary>Enters the calls that were kept back, once nothing keeps them back any longer.</summary>
    public void EnterParked(TimeSpan now)
    {
        if (Host is null || SettlesFor(now) is not null) return;
        if (shard.IsRetired) _parked.Clear();
        foreach (var (call, calls) in _parked)
        {
            if (call.Number >= calls.Settled && calls.Find(call.Number) is null) Enter(call, calls, now);
        }
        _parked.Clear();
    }

    /// <summary>
    /// What became of requests, whatever its order: a lease ends once, and a first byte comes once. Only what an announcement says must not be older
    /// than what came since.
    /// </summary>
    public void Take(FeedbackBatch batch, CallMemory calls, TimeSpan now)
    {
        calls.LastSeen = now;
        calls.Sequence = Math.Max(calls.Sequence, batch.Sequence);
        if (Host is null) return;
        foreach (ref readonly var item in batch.Items.AsSpan()) Take(in item, calls, now);
        foreach (ref readonly var load in batch.Loads.AsSpan()) Host.Reported(Ages.ToReport(in load, mesh.Time));
    }

    /// <summary>Calls without a decision, in the order in which they came, under the keys of their sessions.</summary>
    public RouteCall[] Waiting()
    {
        var waiting = Sessions.All.SelectMany(c => c.Waiting.Select(w => (w.Order, Call: w.Call! with { Session = c.Key })))
            .OrderBy(w => w.Order).Select(w => w.Call);
        return [.. waiting, .. _parked.Where(p => p.Calls.Find(p.Call.Number) is null).Select(p => p.Call with { Session = p.Calls.Key })];
    }

    private void Take(in FeedbackItem item, CallMemory calls, TimeSpan now)
    {
        switch (item.Kind)
        {
            case FeedbackKind.FirstByte:
                Host!.ReportFirstByte(item.Lease);
                return;
            case FeedbackKind.Complete:
                Host!.Complete(item.Lease, new RequestOutcome(item.Outcome, item.PromptTokens, item.CachedTokens, item.OutputTokens));
                return;
            default:
                Cancel(item.Lease.Sequence, calls, now);
                return;
        }
    }

    // The gateway does not want an answer any more; asked late, the call must not be placed.
    private void Cancel(long number, CallMemory calls, TimeSpan now)
    {
        if (calls.Find(number) is { IsCancelled: false } known)
        {
            if (known.Waiting is { } waiting)
            {
                known.Leave?.Cancel();
                _ = GiveBackAsync(Host!, waiting);
            }
            else
            {
                GiveBack(Host!, known.Decision);
            }
        }
        calls.Remember(number, new RememberedCall { IsCancelled = true }, now);
    }

    // What there is to say at once; the wait, for who waits for its end.
    private RouteReply Enter(RouteCall call, CallMemory calls, TimeSpan now, out Task<RouteDecision>? waiting)
    {
        waiting = null;
        if (Host is null) return RouteReply.Of(ReplyKind.Unconfigured, Epoch);
        if (call.Number < calls.Settled) return RouteReply.Of(ReplyKind.StillWaiting, Epoch);
        if (shard.IsRetired) return RouteReply.Of(ReplyKind.Moved, Epoch);
        if (SettlesFor(now) is not null)
        {
            _parked.Add((call, calls));
            return RouteReply.Of(ReplyKind.StillWaiting, Epoch);
        }

        if (_parked.Count > 0) EnterParked(now);
        var known = calls.Find(call.Number) ?? Enter(call, calls, now);
        if (known.IsWaiting) waiting = known.Waiting;
        return known.IsWaiting || known.IsCancelled ? RouteReply.Of(ReplyKind.StillWaiting, Epoch) : Reply(call, known.Decided);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The wait keeps it.")]
    private RememberedCall Enter(RouteCall call, CallMemory calls, TimeSpan now)
    {
        var request = call.ToRequest(pool, calls.Session);
        calls.LastTold = now;
        // Only a wait keeps it: the next call takes it where this one is decided at once.
        var leave = _leave ??= new CancellationTokenSource();
        var route = Host!.RouteAsync(in request, leave.Token);
        if (!route.IsCompletedSuccessfully) _leave = null;
        var known = route.IsCompletedSuccessfully
            ? new RememberedCall(route.Result, null, null)
            : new RememberedCall(default, route.AsTask(), leave) { Call = call, Order = ++_lastWait };
        calls.Remember(call.Number, in known, now);
        return known;
    }

    private TimeSpan? SettlesFor(TimeSpan now) => _settlesAt is { } at && now < at ? at - now : null;

    private async Task<RouteReply> AskAgainAsync(TimeSpan after)
    {
        await Task.Delay(after, mesh.Time);
        return RouteReply.Of(ReplyKind.StillWaiting, Epoch);
    }

    private async Task<RouteReply> PollAsync(RouteCall call, Task<RouteDecision> waiting)
    {
        try
        {
            return Reply(call, waiting.IsCompletedSuccessfully
                ? waiting.Result
                : await waiting.WaitAsync(mesh.Options.PollInterval, mesh.Time, mesh.Leaving));
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Also when the silo stops: the next to be asked has heard of it by then.
            return RouteReply.Of(ReplyKind.StillWaiting, Epoch);
        }
    }

    private RouteReply Reply(RouteCall call, in RouteDecision decision)
    {
        // Remembered from before its endpoint went to another shard: that one gives the lease back, as the gateway does not hold it.
        if (shard.Map.IsMoving && decision.Kind == RouteKind.Send && !shard.Owns(decision.Endpoint)) return RouteReply.Of(ReplyKind.Moved, Epoch);
        var reply = RouteReply.From(in decision, Epoch) with { ShardsVersion = shard.Map.Version };
        if (!call.Explain || Host?.Decisions(call.RequestId, 1) is not [var explained]) return reply;
        return reply with { Explained = SnapshotJson.Write(explained with { Timestamp = Ages.Of(explained.Timestamp, mesh.Time) }) };
    }

    private static async Task GiveBackAsync(PoolHost host, Task<RouteDecision> waiting)
    {
        try
        {
            GiveBack(host, await waiting);
        }
        catch (OperationCanceledException)
        {
            // It had not been placed.
        }
    }

    private static void GiveBack(PoolHost host, in RouteDecision decision)
    {
        if (decision.Kind is RouteKind.Send or RouteKind.Forward) host.Complete(decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
    }
}
