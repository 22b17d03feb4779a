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
using Mesh.Grains.Rehearsing;
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
    private readonly HashSet<Core.Endpoints.EndpointId> _told = [];
    private PoolCalls _calls = null!;
    private PoolId _id;
    private string _key = "";
    private string _silo = "";
    private long _epoch;
    private long _leaseEpoch;
    private long _started;
    private TimeSpan _nextSnapshot;
    private bool _isSuperseded;
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
        _handover ??= mesh.Leftovers.Take(_key);
        _member = new ShardMember(PoolKey.ShardOf(_key), mesh, RehearsalPool.Is(_id) ? new ShardingOptions() : mesh.Options.Sharding, Now);
        if (_handover is not null) mesh.Epochs.Saw(_id, Shard, _handover.LeaseEpoch);
        _leaseEpoch = mesh.Epochs.Next(_id, Shard);
        _epoch = _handover?.Epoch ?? _leaseEpoch;
        if (_handover is not null) _member.Resume(_handover.Shards.ToMap(), _handover.HasAllOfShard, Now);
        _calls = new PoolCalls(mesh, _id, _member) { Epoch = _epoch };
        TakeConfiguration();
        if (_handover is not null) TakeOver(_handover);
        _handover = null;
        if (mesh.Options.KeepsTime)
        {
            _timer = this.RegisterGrainTimer(
                OnTimerAsync, new GrainTimerCreationOptions(TimeSpan.Zero, Timeout.InfiniteTimeSpan) { Interleave = true, KeepAlive = true });
        }
        if (!RehearsalPool.Is(_id)) mesh.Residents.TryAdd(this, 0);
        Began(logger, _id, _epoch, _silo);
        return Task.CompletedTask;
    }

    public override Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        var moves = reason.ReasonCode == DeactivationReasonCode.Migrating;
        if (moves || reason.ReasonCode == DeactivationReasonCode.DirectoryFailure) _handover = WriteHandover();
        if (!moves && _handover is not null) mesh.Leftovers.Leave(_key, _handover);
        mesh.Residents.TryRemove(this, out _);
        Ended(logger, _id, _epoch, reason.ReasonCode);
        _timer?.Dispose();
        _calls.Sessions.LeaveAll();
        _host?.Close();
        if (_feeds is null) return Task.CompletedTask;
        var ended = Task.WhenAll(_feeds.Stop());
        // The next activation is not kept waiting for it.
        return moves ? Task.CompletedTask : ended.WaitAsync(cancellationToken);
    }

    public ValueTask<RouteReply> Route(RouteCall call)
    {
        if (call.Epoch != _epoch || _calls.Sessions.Find(call.Session) is not { } calls) return new ValueTask<RouteReply>(RouteReply.Of(Stranger(call.Epoch), _epoch));
        var turn = _member.BeginTurn();
        var reply = _calls.RouteAsync(call, calls, Now);
        _member.EndTurn(turn);
        return reply;
    }

    public ValueTask<ExchangeReply> Exchange(Exchange message)
    {
        var batch = message.Feedback;
        if (batch.Epoch != _epoch || _calls.Sessions.Find(batch.Session) is not { } calls) return new ValueTask<ExchangeReply>(new ExchangeReply(Refusal(batch.Epoch), []));
        var turn = _member.BeginTurn();
        var now = Now;
        _calls.Take(batch, calls, now);
        var replies = _calls.Enter(message.Calls, message.Settled, calls, now);
        _member.EndTurn(turn);
        return new ValueTask<ExchangeReply>(new ExchangeReply(Reply(calls), replies));
    }

    public ValueTask<PoolReply> Heartbeat(SessionCall call)
    {
        var now = Now;
        _lastSignOfLife = now;
        Take(call.Shards);
        if (_isSuperseded || call.Epoch > _epoch || _calls.Sessions.Find(call.Session) is not { } calls) return new ValueTask<PoolReply>(Refusal(call.Epoch));
        calls.LastSeen = calls.LastTold = now;
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
        var calls = _calls.Sessions.FindOrAdd(announcement.Session);
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

        calls.LastTold = now;
        GiveBackWhatIsNotHeld(calls.Session, announcement.Held);
        Meet(announcement.Held);
        var adopted = _host.Announce(calls.Session, announcement.Held);
        foreach (var call in announcement.Waiting) _calls.Park(call, calls);
        _calls.EnterParked(now);
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
            Sessions = _calls.Sessions.Count,
            Name = _key,
            Age = Now,
            Shards = _member.Map,
            Busy = _member.Busy,
        });
    }

    public ValueTask<TimeSpan?> Tick()
    {
        TakeConfiguration();
        var now = Now;
        TickShards(now);
        _calls.Sessions.ForgetSilent(now, mesh.Options.Engine.Pool.SessionTimeout);
        if (_host is not null) _calls.Sessions.TellWhoLives(_host, now);
        // One whose silo died while it rehearsed.
        if (RehearsalPool.Is(_id) && _calls.Sessions.Count == 0 && now > mesh.Options.Engine.Pool.SessionTimeout) DeactivateOnIdle();
        _calls.EnterParked(now);
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
        if ((RehearsalPool.Is(_id) ? RehearsalPool.Config(_id) : current.Pool(_id.ToString())) is not { } pool)
        {
            _host?.Close();
            if (_feeds is not null) _ = Task.WhenAll(_feeds.Stop());
            if (_host is not null) DeactivateOnIdle();
            (_host, _feeds, _endpoints, _calls.Host) = (null, null, null, null);
            return;
        }

        var config = _member.PartOf(pool);
        var isNew = _host is null;
        if (isNew)
        {
            var engine = mesh.Options.Engine;
            var seed = PoolSeed.Of(mesh.Options.Seed, _id);
            var state = new PoolState(config, mesh.Time, seed, engine.Pool with { Epoch = _leaseEpoch, Shard = ShardName.Of(Shard), SampleMaxAge = engine.SampleMaxAge });
            _endpoints = new RemoteEndpoints(_id, GrainFactory, mesh.Time);
            _host = _calls.Host = new PoolHost(state, Wake) { Listener = _endpoints };
            _feeds = new PoolFeeds(_host.Cache, seed, mesh.Monitors);
        }

        _endpoints!.Reconfigure(config);
        _host!.Reconfigure(config, System.Collections.Frozen.FrozenDictionary<Core.Endpoints.EndpointId, Engine.Monitoring.EndpointMonitor>.Empty);
        foreach (var _ in _feeds!.Reconfigure(config))
        {
            // Those that ended end by themselves.
        }
        if (isNew) _known.Clear();
        if (isNew && _member.IsDivided) SetPeers();
        if (isNew && mesh.Options.KeepsTime && !RehearsalPool.Is(_id)) _ = AskEndpointsAsync();
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

    private void Take(EndpointNews news)
    {
        if (news.Health is { } health and not Core.Endpoints.EndpointHealth.Unknown) _host!.Judged(news.Endpoint, health);
        if (news.Models is { } models) _host!.Listed(news.Endpoint, System.Runtime.InteropServices.ImmutableCollectionsMarshal.AsImmutableArray(models));
        if (news.Sample is { } sample) _host!.Sampled(sample with { Timestamp = Ages.ToTimestamp(news.SampleAgeTicks, mesh.Time) });
    }

    private void PushSnapshot(TimeSpan now)
    {
        _nextSnapshot = now + mesh.Options.SnapshotInterval;
        if (_host is null || !_calls.Sessions.HasWatchers) return;
        var snapshot = SnapshotJson.Write(SnapshotClock.ToWire(_host.Snapshot(), mesh.Time));
        foreach (var watcher in _calls.Sessions.Watchers) _ = watcher.Changed(_epoch, snapshot);
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
            // Later, nobody holds anything any more that the earlier activation gave; and who was handed the leases knows them.
            if (epoch != 0 && epoch < _epoch && _epoch == _leaseEpoch && Now <= mesh.Options.Engine.Pool.SessionTimeout) _calls.Settle(Now);
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
