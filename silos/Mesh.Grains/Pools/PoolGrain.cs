using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Engine;
using Mesh.Engine.KvEvents.Feeding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;
using Mesh.Grains.Keeping;
using Mesh.Grains.Placing;
using Mesh.Grains.Shards;
using Mesh.Grains.Snapshots;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;

namespace Mesh.Grains.Pools;

/// <summary>
/// One pool's state on the silo where its name belongs. A shell: it receives, calls the state, and replies. Calls interleave, because those that
/// wait stay open. Its state is in memory alone; the next activation has a higher epoch and learns from the gateways what they hold, and from
/// this one where it could say so.
/// </summary>
[Reentrant, KeepAlive, SteadyPlacement, GrainType(PoolKey.GrainType)]
internal sealed partial class PoolGrain(SiloMesh mesh, ILogger<PoolGrain> logger) : Grain, IPoolGrain
{
    private static readonly TimeSpan LeastTick = TimeSpan.FromMilliseconds(10);
    private readonly PoolSessions _sessions = new(mesh.Options);
    private readonly HashSet<Core.Endpoints.EndpointId> _told = [];
    private readonly List<(RouteCall Call, CallMemory Calls)> _parked = [];
    private PoolId _id;
    private string _key = "";
    private string _silo = "";
    private long _epoch;
    private long _started;
    private TimeSpan _nextSnapshot;
    private bool _isSuperseded;
    private TimeSpan? _settlesAt;
    private ConfigurationIndex? _seen;
    private PoolHost? _host;
    private PoolFeeds? _feeds;
    private RemoteEndpoints? _endpoints;
    private IGrainTimer? _timer;

    private TimeSpan Now => mesh.Time.GetElapsedTime(_started);

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        _key = this.GetPrimaryKeyString();
        _id = PoolKey.Parse(_key);
        _silo = this.GetLocalSilo().ToParsableString();
        _started = mesh.Time.GetTimestamp();
        var shard = PoolKey.ShardOf(_key);
        _member = new ShardMember(_id, shard, mesh, Now);
        if (_handover is not null) mesh.Epochs.Saw(_id, shard, _handover.Epoch);
        _epoch = mesh.Epochs.Next(_id, shard);
        if (_handover is not null) _member.Resume(_handover.Shards.ToMap(), _handover.HasAllOfShard, Now);
        TakeConfiguration();
        if (_handover is not null) TakeOver(_handover);
        _handover = null;
        if (mesh.Options.KeepsTime)
        {
            _timer = this.RegisterGrainTimer(
                OnTimerAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        }
        mesh.Residents.TryAdd(this, 0);
        Began(logger, _id, _epoch, _silo);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var moves = reason.ReasonCode == DeactivationReasonCode.Migrating;
        if (moves) _handover = WriteHandover();
        mesh.Residents.TryRemove(this, out _);
        Ended(logger, _id, _epoch, reason.ReasonCode);
        _timer?.Dispose();
        _sessions.LeaveAll();
        _host?.Close();
        if (_feeds is null) return Task.CompletedTask;
        var ended = Task.WhenAll(_feeds.Stop());
        // The next activation is not kept waiting for it.
        return moves ? Task.CompletedTask : ended.WaitAsync(cancellationToken);
    }

    public ValueTask<RouteReply> Route(RouteCall call)
    {
        var turn = _member.BeginTurn();
        var reply = RouteNow(call);
        _member.EndTurn(turn);
        return reply;
    }

    private ValueTask<RouteReply> RouteNow(RouteCall call)
    {
        if (call.Epoch != _epoch || _sessions.Find(call.Session) is not { } calls) return new ValueTask<RouteReply>(RouteReply.Of(Stranger(call.Epoch), _epoch));
        if (_host is null) return new ValueTask<RouteReply>(RouteReply.Of(ReplyKind.Unconfigured, _epoch));
        var now = Now;
        calls.LastSeen = now;
        calls.Trim(call.Settled, now);
        if (call.Number < calls.Settled) return new ValueTask<RouteReply>(RouteReply.Of(ReplyKind.StillWaiting, _epoch));
        if (_member.IsRetired) return new ValueTask<RouteReply>(RouteReply.Of(ReplyKind.Moved, _epoch));
        if (Settles(now) is { } left)
        {
            _parked.Add((call, calls));
            return new ValueTask<RouteReply>(AskAgainAsync(left));
        }
        var known = calls.Find(call.Number) ?? Enter(call, calls, now);
        if (known.IsCancelled) return new ValueTask<RouteReply>(RouteReply.Of(ReplyKind.StillWaiting, _epoch));
        return known.Waiting is { } waiting ? new ValueTask<RouteReply>(PollAsync(call, waiting)) : new ValueTask<RouteReply>(Reply(call, known.Decision));
    }

    public ValueTask<PoolReply> Feedback(FeedbackBatch batch)
    {
        var turn = _member.BeginTurn();
        var reply = FeedbackNow(batch);
        _member.EndTurn(turn);
        return reply;
    }

    private ValueTask<PoolReply> FeedbackNow(FeedbackBatch batch)
    {
        if (batch.Epoch != _epoch || _sessions.Find(batch.Session) is not { } calls) return new ValueTask<PoolReply>(Refusal(batch.Epoch));
        calls.LastSeen = Now;
        if (batch.Sequence <= calls.Sequence || _host is null) return new ValueTask<PoolReply>(Reply(calls));
        calls.Sequence = batch.Sequence;
        foreach (ref readonly var item in batch.Items.AsSpan()) Take(in item, calls);
        foreach (ref readonly var load in batch.Loads.AsSpan()) _host.Reported(Ages.ToReport(in load, mesh.Time));
        return new ValueTask<PoolReply>(Reply(calls));
    }

    public ValueTask<PoolReply> Heartbeat(SessionCall call)
    {
        var now = Now;
        _lastCall = now;
        Take(call.Shards);
        if (_isSuperseded || call.Epoch > _epoch || _sessions.Find(call.Session) is not { } calls) return new ValueTask<PoolReply>(Refusal(call.Epoch));
        calls.LastSeen = now;
        calls.Trim(call.Settled, now);

        // The state may have forgotten a session that this shell still knows: it was silent for a little too long.
        var isKnown = _host is null || _host.Heartbeat(call.Session);
        return new ValueTask<PoolReply>(Reply(calls) with { MustAnnounce = !isKnown || calls.MustAnnounce });
    }

    public ValueTask<PoolReply> Announce(Announcement announcement)
    {
        Take(announcement.Shards);
        if (_isSuperseded || announcement.Epoch != _epoch) return new ValueTask<PoolReply>(Refusal(announcement.Epoch));
        var now = Now;
        var calls = _sessions.FindOrAdd(announcement.Session);
        if (calls is null) return new ValueTask<PoolReply>(Refusal(announcement.Epoch));
        calls.LastSeen = now;
        if (announcement.Sequence <= calls.Sequence) return new ValueTask<PoolReply>(Reply(calls));
        // By an older map it does not name what it holds of endpoints that have come here: that would be given back.
        if (announcement.Shards.Version < _member.Map.Version) return new ValueTask<PoolReply>(Reply(calls) with { MustAnnounce = true });
        calls.MustAnnounce = false;
        calls.Sequence = announcement.Sequence;
        calls.Watcher = announcement.Watcher;
        _nextSnapshot = TimeSpan.Zero;
        if (_host is null) return new ValueTask<PoolReply>(Reply(calls));
        foreach (var hint in announcement.Hints)
        {
            // What the endpoint's own grain has said holds; until it does, what the gateways last knew is better than nothing.
            if (!_told.Contains(hint.Endpoint)) Take(hint);
        }

        GiveBackWhatIsNotHeld(calls.Session, announcement.Held);
        var adopted = _host.Announce(calls.Session, announcement.Held);
        foreach (var call in announcement.Waiting) _parked.Add((call, calls));
        EnterParked(now);
        Announced(logger, _id, _epoch, calls.Session, adopted, announcement.Waiting.Length);
        return new ValueTask<PoolReply>(Reply(calls));
    }

    public ValueTask<LearnReply> Learn(EndpointNews news)
    {
        if (_host is null || _endpoints is null || _isSuperseded || !_member.Owns(news.Endpoint))
        {
            return new ValueTask<LearnReply>(new LearnReply(_epoch, IsKnown: false, _member.Map));
        }
        _endpoints.SetResting(news.Endpoint, news.IsResting);
        if (news.Health is not null) _told.Add(news.Endpoint);
        Take(news);
        return new ValueTask<LearnReply>(new LearnReply(_epoch, IsKnown: true));
    }

    public ValueTask<PoolStatus> Keep()
    {
        TakeConfiguration();
        return new ValueTask<PoolStatus>(new PoolStatus
        {
            Epoch = _epoch,
            Silo = _silo,
            IsConfigured = _host is not null,
            Leases = _host?.LeasesOut ?? 0,
            WaitingCalls = _host?.WaitingCalls ?? 0,
            Sessions = _sessions.Count,
            Shards = _member.Map,
            Busy = _member.Busy,
        });
    }

    public ValueTask<TimeSpan?> Tick()
    {
        TakeConfiguration();
        var now = Now;
        TickShards(now);
        _sessions.ForgetSilent(now, mesh.Options.Engine.Pool.SessionTimeout);
        EnterParked(now);
        var next = _host?.Tick();
        if (now >= _nextSnapshot) PushSnapshot(now);
        return new ValueTask<TimeSpan?>(next);
    }

    public ValueTask<byte[]> Snapshot() => new(_host is null ? [] : SnapshotJson.Write(SnapshotClock.ToWire(_host.Snapshot(), mesh.Time)));

    private async Task OnTimerAsync(CancellationToken cancellationToken)
    {
        var next = mesh.Options.PoolInterval;
        try
        {
            if (await Tick() is { } wanted && wanted < next) next = wanted < LeastTick ? LeastTick : wanted;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A pool without its timer would wait for ever.
            TickFailed(logger, e, _id);
        }
        _timer?.Change(next, Timeout.InfiniteTimeSpan);
    }

    // :: Configuration.
    private void TakeConfiguration(bool anew = false)
    {
        var current = mesh.Configuration.Current;
        if (ReferenceEquals(current, _seen) && !anew) return;
        _seen = current;
        if (current.Pool(_id.ToString()) is not { } pool)
        {
            _host?.Close();
            if (_feeds is not null) _ = Task.WhenAll(_feeds.Stop());
            if (_host is not null) DeactivateOnIdle();
            (_host, _feeds, _endpoints) = (null, null, null);
            return;
        }

        var config = _member.PartOf(pool);
        var isNew = _host is null;
        if (isNew)
        {
            var engine = mesh.Options.Engine;
            var seed = PoolSeed.Of(mesh.Options.Seed, _id);
            var state = new PoolState(config, mesh.Time, seed, engine.Pool with { Epoch = _epoch, Shard = ShardName.Of(Shard), SampleMaxAge = engine.SampleMaxAge });
            _endpoints = new RemoteEndpoints(_id, GrainFactory, mesh.Time);
            _host = new PoolHost(state, Wake) { Listener = _endpoints };
            _feeds = new PoolFeeds(_host.Cache, seed, mesh.Monitors);
        }

        _endpoints!.Reconfigure(config);
        _host!.Reconfigure(config, System.Collections.Frozen.FrozenDictionary<Core.Endpoints.EndpointId, Engine.Monitoring.EndpointMonitor>.Empty);
        foreach (var _ in _feeds!.Reconfigure(config))
        {
            // Those that ended end by themselves.
        }
        if (isNew && _member.IsDivided) SetPeers();
        if (isNew && mesh.Options.KeepsTime) _ = AskEndpointsAsync();
    }

    // A state that has just begun knows nothing of its endpoints; their grains, wherever they run, do.
    private async Task AskEndpointsAsync()
    {
        var names = _endpoints!.All.Select(e => e.Address).ToArray();
        foreach (var news in await Rounds.GoAsync(names, address => GrainFactory.GetGrain<IEndpointGrain>(address).Tell(_id)))
        {
            if (news is not null) await Learn(news);
        }
    }

    private void Wake() => _timer?.Change(TimeSpan.Zero, Timeout.InfiniteTimeSpan);

    // :: Settling. A gateway has known an earlier activation: until all have had the time to say what they hold, there seems to be more room than there is.
    private void HasPredecessor(TimeSpan now)
    {
        if (_settlesAt is not null || _hasTakenOver || now > mesh.Options.Engine.Pool.SessionTimeout) return;
        _settlesAt = now + mesh.Options.SettleTime;
    }

    private TimeSpan? Settles(TimeSpan now)
    {
        if (_settlesAt is { } at && now < at) return at - now;
        if (_parked.Count > 0) EnterParked(now);
        return null;
    }

    private void EnterParked(TimeSpan now)
    {
        if (_host is null || (_settlesAt is { } at && now < at)) return;
        if (_member.IsRetired) _parked.Clear();
        foreach (var (call, calls) in _parked)
        {
            if (call.Number >= calls.Settled && calls.Find(call.Number) is null) Enter(call, calls, now);
        }
        _parked.Clear();
    }

    private async Task<RouteReply> AskAgainAsync(TimeSpan after)
    {
        await Task.Delay(after, mesh.Time);
        return RouteReply.Of(ReplyKind.StillWaiting, _epoch);
    }

    // :: Calls.
    [SuppressMessage("Reliability", "CA2000", Justification = "The wait keeps it.")]
    private RememberedCall Enter(RouteCall call, CallMemory calls, TimeSpan now)
    {
        var request = call.ToRequest(_id, calls.Session);
        var leave = new CancellationTokenSource();
        var route = _host!.RouteAsync(in request, leave.Token);
        var known = route.IsCompletedSuccessfully ? new RememberedCall(route.Result, null, null) : new RememberedCall(default, route.AsTask(), leave);
        calls.Remember(call.Number, in known, now);
        return known;
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
            return RouteReply.Of(ReplyKind.StillWaiting, _epoch);
        }
    }

    private RouteReply Reply(RouteCall call, in RouteDecision decision)
    {
        // Remembered from before its endpoint went to another shard: that one gives the lease back, as the gateway does not hold it.
        if (decision.Kind == RouteKind.Send && _member.Map.IsMoving && !_member.Owns(decision.Endpoint)) return RouteReply.Of(ReplyKind.Moved, _epoch);
        var reply = RouteReply.From(in decision, _epoch) with { ShardsVersion = _member.Map.Version };
        if (!call.Explain || _host?.Decisions(call.RequestId, 1) is not [var explained]) return reply;
        return reply with { Explained = SnapshotJson.Write(explained with { Timestamp = Ages.Of(explained.Timestamp, mesh.Time) }) };
    }

    private void Take(in FeedbackItem item, CallMemory calls)
    {
        switch (item.Kind)
        {
            case FeedbackKind.FirstByte:
                _host!.ReportFirstByte(item.Lease);
                return;
            case FeedbackKind.Complete:
                _host!.Complete(item.Lease, new RequestOutcome(item.Outcome, item.PromptTokens, item.CachedTokens, item.OutputTokens));
                return;
            default:
                Cancel(item.Lease.Sequence, calls);
                return;
        }
    }

    private void Cancel(long number, CallMemory calls)
    {
        if (calls.Find(number) is { IsCancelled: false } known)
        {
            if (known.Waiting is { } waiting)
            {
                known.Leave?.Cancel();
                _ = GiveBackAsync(_host!, waiting);
            }
            else
            {
                GiveBack(_host!, known.Decision);
            }
        }

        // Asked late, it must not be placed any more.
        calls.Remember(number, new RememberedCall { IsCancelled = true }, Now);
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
        if (decision.Kind == RouteKind.Send) host.Complete(decision.Lease, new RequestOutcome(OutcomeKind.NotSent));
    }

    private void Take(EndpointNews news)
    {
        if (news.Health is { } health and not Core.Endpoints.EndpointHealth.Unknown) _host!.Judged(news.Endpoint, health);
        if (news.Models is { } models) _host!.Listed(news.Endpoint, System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(models));
        if (news.Sample is { } sample) _host!.Sampled(sample with { Timestamp = Ages.ToTimestamp(news.SampleAgeTicks, mesh.Time) });
    }

    private void PushSnapshot(TimeSpan now)
    {
        _nextSnapshot = now + mesh.Options.SnapshotInterval;
        if (_host is null || !_sessions.HasWatchers) return;
        var snapshot = SnapshotJson.Write(SnapshotClock.ToWire(_host.Snapshot(), mesh.Time));
        foreach (var watcher in _sessions.Watchers) _ = watcher.Changed(_epoch, snapshot);
    }

    // :: Epochs.
    private PoolReply Reply(CallMemory calls) => new() { Epoch = _epoch, Key = calls.Key, WantsHints = WantsHints, Shard = ShardState };

    private bool WantsHints => _endpoints is { } endpoints && _told.Count < endpoints.Count;

    private PoolReply Refusal(long epoch)
    {
        var kind = Stranger(epoch);
        return new PoolReply { Epoch = _epoch, MustAnnounce = true, WantsHints = WantsHints, IsSuperseded = kind == ReplyKind.Superseded, Shard = ShardState };
    }

    // Somebody knows a higher epoch: another activation has taken this one's place, and two must not place requests side by side.
    private ReplyKind Stranger(long epoch)
    {
        if (epoch <= _epoch && !_isSuperseded)
        {
            if (epoch != 0 && epoch < _epoch) HasPredecessor(Now);
            return ReplyKind.Announce;
        }
        if (!_isSuperseded)
        {
            _isSuperseded = true;
            mesh.Epochs.Saw(_id, Shard, epoch);
            Superseded(logger, _id, _epoch, epoch);
            DeactivateOnIdle();
        }
        return ReplyKind.Superseded;
    }

    [LoggerMessage(1, LogLevel.Information, "Pool {Pool}: epoch {Epoch} begins on {Silo}.")]
    private static partial void Began(ILogger logger, PoolId pool, long epoch, string silo);

    [LoggerMessage(2, LogLevel.Information, "Pool {Pool}: epoch {Epoch} ends ({Reason}).")]
    private static partial void Ended(ILogger logger, PoolId pool, long epoch, DeactivationReasonCode reason);

    [LoggerMessage(3, LogLevel.Information, "Pool {Pool}: epoch {Epoch}: {Session} announced itself; {Leases} leases taken over, {Waiting} requests wait.")]
    private static partial void Announced(ILogger logger, PoolId pool, long epoch, GatewaySession session, int leases, int waiting);

    [LoggerMessage(4, LogLevel.Warning, "Pool {Pool}: epoch {Epoch} has been superseded by {Newer} and ends.")]
    private static partial void Superseded(ILogger logger, PoolId pool, long epoch, long newer);

    [LoggerMessage(5, LogLevel.Error, "Pool {Pool}: a tick failed.")]
    private static partial void TickFailed(ILogger logger, Exception e, PoolId pool);
}
