using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Shards;
using Microsoft.Extensions.Logging;

namespace Mesh.Grains.Pools;

// A pool that is divided: this grain is one shard of it, and the others are its peers.
internal sealed partial class PoolGrain : IPoolShard
{
    private const int HandoverTries = 5;
    private static readonly TimeSpan HandoverPause = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan DecideEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan RetiredFor = TimeSpan.FromSeconds(10);
    private readonly Dictionary<Core.Leases.GatewaySession, Core.Leases.HeldLease[]> _takenOver = [];
    private readonly HashSet<string> _known = [];
    private readonly bool[] _telling = new bool[ShardMap.Most];
    private ShardMember _member = null!;
    private TimeSpan _nextNews;
    private TimeSpan _nextDecision;
    private TimeSpan _lastSignOfLife;
    private int _readyEndpoints;

    private int Shard => _member.Shard;

    public ValueTask<ShardMapWord> Hear(ShardNews news)
    {
        Take(news.Map);
        if (_host is not null && news.From is >= 0 and < ShardMap.Most && news.From != Shard && ShardJson.TryRead(news.Report) is { } report)
        {
            _member.Hear(news);
            _host.Peers.Apply(report, report.Pools.IsDefaultOrEmpty ? null : report.Pools[0]);
        }
        return new ValueTask<ShardMapWord>(_member.Map);
    }

    public ValueTask<bool> TakeOver(ShardHandover handover)
    {
        if (_host is null || _isSuperseded) return new ValueTask<bool>(false);
        Take(handover.Map);
        // By a later map the endpoints are somebody else's already: who has them hears of the leases from the gateways.
        if (!_member.TryTake(handover)) return new ValueTask<bool>(true);
        TakeConfiguration(anew: true);
        // One may have ended a request since, and told the shard that had the endpoint; or named a lease here while the endpoint was not here yet.
        _calls.Sessions.AllMustAnnounce();
        foreach (var news in handover.Endpoints)
        {
            if (!_member.Owns(news.Endpoint)) continue;
            _host.ServedBefore(news.Endpoint);
            _told.Add(news.Endpoint);
            _endpoints!.SetResting(news.Endpoint, news.IsResting);
            Take(news);
        }

        var leases = 0;
        foreach (var session in handover.Sessions)
        {
            Meet(session.Held);
            leases += _host.Announce(session.Session, session.Held);
            _takenOver[session.Session] = _takenOver.TryGetValue(session.Session, out var before) ? [.. before, .. session.Held] : session.Held;
        }
        ShardTookOver(logger, _id, Shard, handover.From, leases, handover.Endpoints.Length);
        return new ValueTask<bool>(true);
    }

    /// <summary>Somebody knows of a map: a newer one is in force here from now on.</summary>
    private void Take(ShardMapWord word)
    {
        if (word.Version > _member.Map.Version) Adopt(word.ToMap());
    }

    // One turn: what goes away is written down and given up before anything else is placed.
    private void Adopt(ShardMap map)
    {
        var had = _endpoints?.All ?? [];
        if (!_member.TryAdopt(map, Now)) return;
        ShardsChanged(logger, _id, Shard, map.Count, map.CountBefore, map.Version);
        if (_host is null) return;
        // A shard that ends cannot keep anybody waiting; whoever asks again is told to ask elsewhere.
        if (_member.IsRetired) _calls.Sessions.LeaveAll();
        var lost = had.Where(e => !_member.Owns(e)).ToArray();
        var handovers = map.IsMoving && lost.Length > 0 ? WriteHandovers(map, lost) : [];
        _told.ExceptWith(lost);
        SetPeers();
        TakeConfiguration(anew: true);
        foreach (var (owner, handover) in handovers) _ = HandOverAsync(owner, handover);
        _nextNews = TimeSpan.Zero;
        Wake();
    }

    private void SetPeers()
    {
        string[] shards = _member.IsDivided && !_member.IsRetired ? [.. Enumerable.Range(0, _member.Map.Count).Where(s => s != Shard).Select(ShardName.Of)] : [];
        // What is under way with a region goes on when the shard ends; nothing new is sent there.
        _host!.Peers.Set([.. shards, .. _member.IsRetired ? [] : _regions], ReportSooner);
        foreach (var shard in shards)
        {
            if (_known.Add(shard)) _host.Peers.ApplyRoundTrip(shard, TimeSpan.FromMilliseconds(1));
        }

        _known.IntersectWith(shards);
    }

    private void ReportSooner()
    {
        _peering?.AskSooner();
        if (!_member.IsDivided) return;
        _nextNews = TimeSpan.Zero;
        Wake();
    }

    private Dictionary<int, ShardHandover> WriteHandovers(ShardMap map, EndpointId[] lost)
    {
        var owners = lost.ToDictionary(e => e, map.OwnerOf);
        var leases = _host!.Leases(null, null, int.MaxValue).Where(l => owners.ContainsKey(l.Endpoint)).ToLookup(l => owners[l.Endpoint]);
        var hints = EndpointHints.Of(_host.Snapshot(), mesh.Time, mesh.Options.Engine.SampleMaxAge).Where(h => owners.ContainsKey(h.Endpoint)).ToLookup(h => owners[h.Endpoint]);
        return owners.Values.Where(o => o != Shard).Distinct().ToDictionary(o => o, o => new ShardHandover
        {
            From = Shard,
            Map = map,
            Endpoints = [.. hints[o]],
            Sessions = [.. leases[o].GroupBy(l => l.Session).Select(s => new SessionHandover { Session = s.Key, Held = [.. s.Select(l => l.ToHeld())] })],
        });
    }

    // What a gateway has ended since its shard handed the lease over, it told that shard; and what it never heard of it has asked elsewhere.
    private void GiveBackWhatIsNotHeld(Core.Leases.GatewaySession session, Core.Leases.HeldLease[] held)
    {
        if (!_takenOver.Remove(session, out var before)) return;
        var known = held.ToDictionary(h => h.Lease);
        foreach (var lease in before)
        {
            if (!known.TryGetValue(lease.Lease, out var now)) _host!.Complete(lease.Lease, new RequestOutcome(OutcomeKind.NotSent));
            // Its answer may have begun while it was handed over.
            else if (now.FirstByteSeen) _host!.ReportFirstByte(lease.Lease);
        }
    }

    private async Task HandOverAsync(int owner, ShardHandover handover)
    {
        var next = GrainFactory.GetGrain<IPoolShard>(PoolKey.GrainIdOf(_id, owner));
        for (var tries = 0; tries < HandoverTries; tries++)
        {
            try
            {
                if (await next.TakeOver(handover)) break;
            }
            catch (Exception e) when (GrainFailure.IsExpected(e))
            {
                // Its silo may just have died; if it does not come back in time, the gateways will tell it what they hold.
            }
            await Task.Delay(HandoverPause, mesh.Time);
        }

        foreach (var session in handover.Sessions)
        {
            foreach (var lease in session.Held) _host?.Complete(lease.Lease, new RequestOutcome(OutcomeKind.NotSent));
        }
    }

    private void TickShards(TimeSpan now)
    {
        if (_host is null) return;
        if (_member.Map.Version > 0) _readyEndpoints = _host.ReadyEndpoints;
        if (_member.EndsWaiting(now))
        {
            // Nobody has handed over what is in flight there: the gateways tell, before anything is placed.
            TakeConfiguration(anew: true);
            _calls.Sessions.AllMustAnnounce();
            _calls.SettleAnew(now);
        }
        if (_member.IsRetired)
        {
            // Those that still ask have not heard; when they have, nobody needs it.
            if (now - _lastSignOfLife > RetiredFor && _host.LeasesOut == 0) DeactivateOnIdle();
            return;
        }
        if (now >= _nextDecision && !_calls.Settles(now))
        {
            _nextDecision = now + DecideEvery;
            if (_member.Decide(_leaseEpoch, now) is { } map) Adopt(map);
        }
        if (!_member.IsDivided || now < _nextNews) return;
        _nextNews = now + mesh.Options.Engine.Pool.Regions.ReportInterval;
        for (var shard = 0; shard < _member.Map.Count; shard++)
        {
            if (shard != Shard && !_telling[shard]) _ = TellAsync(shard);
        }
    }

    private async Task TellAsync(int shard)
    {
        _telling[shard] = true;
        var name = ShardName.Of(shard);
        var began = mesh.Time.GetTimestamp();
        try
        {
            var report = new RegionReport
            {
                Region = ShardName.Of(Shard),
                Instance = _leaseEpoch,
                Sequence = _member.NextSequence(shard),
                HeardAge = _member.SinceHeard(shard),
                Pools = [_host!.Peers.BuildReport(name)],
            };
            var news = new ShardNews { From = Shard, Map = _member.Map, Busy = _member.Busy, Report = ShardJson.Write(report) };
            var map = await GrainFactory.GetGrain<IPoolShard>(PoolKey.GrainIdOf(_id, shard)).Hear(news);
            _host?.Peers.ApplyRoundTrip(name, mesh.Time.GetElapsedTime(began));
            Take(map);
        }
        catch (Exception e) when (GrainFailure.IsExpected(e))
        {
            _host?.Peers.Lost(name);
        }
        finally
        {
            _telling[shard] = false;
        }
    }

    // Nobody chooses between the shards of a pool that has never been divided.
    private ShardState ShardState => _member.Map.Version == 0 || _host is null ? default : new(_member.Map, _host.LeasesOut + _host.WaitingCalls, _readyEndpoints);

    [LoggerMessage(7, LogLevel.Information, "Pool {Pool}, shard {Shard}: {Count} shards instead of {Before} (map {Version}).")]
    private static partial void ShardsChanged(ILogger logger, Core.Config.PoolId pool, int shard, int count, int before, long version);

    [LoggerMessage(8, LogLevel.Information, "Pool {Pool}, shard {Shard}: shard {From} hands over {Leases} leases, {Endpoints} endpoints.")]
    private static partial void ShardTookOver(ILogger logger, Core.Config.PoolId pool, int shard, int from, int leases, int endpoints);
}
