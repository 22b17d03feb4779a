using Mesh.Core.Leases;
using Microsoft.Extensions.Logging;
using Orleans.Runtime.Placement;

namespace Mesh.Grains.Pools;

// Moving to another silo while both live: the next activation knows what this one knew, and goes on under its epoch.
internal sealed partial class PoolGrain : IGrainMigrationParticipant
{
    private PoolHandover? _handover;

    /// <summary>Moves to another silo as soon as no call is under way; ends when it has left this one. Thread-safe.</summary>
    public Task MoveTo(SiloAddress silo)
    {
        RequestContext.Set(IPlacementDirector.PlacementHintKey, silo);
        MigrateOnIdle();
        return GrainContext.Deactivated;
    }

    public void OnDehydrate(IDehydrationContext dehydrationContext)
    {
        if (_handover is not null) dehydrationContext.TryAddValue("mesh.pool", _handover);
    }

    public void OnRehydrate(IRehydrationContext rehydrationContext) => rehydrationContext.TryGetValue("mesh.pool", out _handover);

    // The state is still whole, and no call is under way.
    private PoolHandover? WriteHandover()
    {
        if (_host is null || _isSuperseded) return null;
        var held = _host.Leases(null, null, int.MaxValue).ToLookup(l => l.Session, l => l.ToHeld());
        var strangers = held.Where(s => _calls.Sessions.Find(s.Key) is null).Select(s => new SessionHandover { Session = s.Key, Held = [.. s] });
        return new PoolHandover
        {
            Epoch = _epoch,
            LeaseEpoch = _leaseEpoch,
            Endpoints = EndpointHints.Of(_host.Snapshot(), mesh.Time, mesh.Options.Engine.SampleMaxAge),
            Sessions = [.. _calls.Sessions.All.Select(c => Write(c, [.. held[c.Session]])), .. strangers],
            Waiting = _calls.Waiting(),
            Shards = _member.Map,
            HasAllOfShard = !_member.IsAwaiting,
            FromShards = [.. _takenOver.Select(t => new SessionHandover { Session = t.Key, Held = t.Value })],
        };
    }

    private static SessionHandover Write(CallMemory calls, HeldLease[] held) => new()
    {
        Session = calls.Session,
        Held = held,
        Key = calls.Key,
        Sequence = calls.Sequence,
        Settled = calls.Settled,
        Watcher = calls.Watcher,
        Answers = calls.Answers(),
    };

    private void TakeOver(PoolHandover handover)
    {
        if (_host is null) return;
        foreach (var news in handover.Endpoints)
        {
            _told.Add(news.Endpoint);
            _endpoints!.SetResting(news.Endpoint, news.IsResting);
            Take(news);
        }

        var (now, leases) = (Now, 0);
        foreach (var session in handover.Sessions)
        {
            if (session.Key > 0) _calls.Sessions.Restore(session, now);
            Meet(session.Held);
            leases += _host.Announce(session.Session, session.Held);
        }

        foreach (var session in handover.FromShards) _takenOver[session.Session] = session.Held;
        if (handover.FromShards.Length > 0) _calls.Sessions.AllMustAnnounce();

        // Nothing that is taken seems free, so whoever waited may have what there is at once.
        foreach (var call in handover.Waiting)
        {
            if (_calls.Sessions.Find(call.Session) is { } calls) _calls.Park(call, calls);
        }
        _calls.EnterParked(now);
        TookOver(logger, _id, _epoch, leases, handover.Endpoints.Length, handover.Sessions.Length, handover.Waiting.Length);
    }

    [LoggerMessage(6, LogLevel.Information, "Pool {Pool}: epoch {Epoch} goes on here: {Leases} leases, {Endpoints} endpoints, {Sessions} gateways, {Waiting} requests wait.")]
    private static partial void TookOver(ILogger logger, Core.Config.PoolId pool, long epoch, int leases, int endpoints, int sessions, int waiting);
}
