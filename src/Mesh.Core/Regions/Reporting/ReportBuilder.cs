using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// Makes a pool's part of the reports: one pass over its endpoints for all peers, then each peer's own credits. What the pass finds is used again within half an
/// interval.
/// </summary>
internal sealed class ReportBuilder(PoolStateOptions options, PoolClock clock, EndpointTable endpoints, ModelCatalog models, PeerTable peers, WaitRoom room)
{
    private const int MostPriorities = 8;
    private const int MostModels = 64;
    // Outstanding work below which an endpoint begins a prompt as good as at once.
    private const double BeginsAtOnceMs = 50;
    // Where so many come in vain as take more than this away, own requests take the places of peers' before the next of theirs is there.
    private const double LeastTrust = 0.5;
    private static readonly TimeSpan FlowsEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan DigestEvery = TimeSpan.FromSeconds(1);
    private readonly CreditShares _preferredShares = new();
    private readonly CreditShares _shares = new();
    private readonly TierFigures[] _tiers = [new(), new()];
    private readonly FreshCosts _freshCosts = new(endpoints, clock);
    private double[] _waits = [];
    private double[] _outstandingPreferred = [];
    private double[] _outstanding = [];
    private TimeSpan _builtAt = TimeSpan.MinValue;
    private TimeSpan _digestAt = TimeSpan.MinValue;
    private PoolReport? _body;
    private ImmutableArray<HotPrefix> _digest = [];
    private ImmutableArray<FlowUsage> _flows = [];
    private TimeSpan _flowsAt = TimeSpan.MinValue;
    private ImmutableArray<string> _models;
    private long _modelsVersion = -1;
    private int _healthy;
    private bool _hadRoom;
    private int _leases;
    private int _connected;

    /// <summary>Counts prompts for the digest.</summary>
    public HotPrefixCounter Hot { get; } = new(options.PrefixLayout);

    /// <summary>Counts what flows get.</summary>
    public FlowMeter Flows { get; } = new();

    /// <summary>True when peers should hear of what has changed before the next report is due.</summary>
    public bool IsNeededSooner(BackendTable backends, int leases, TimeSpan now)
    {
        if (_body is null || peers.IsEmpty || now - _builtAt < options.Regions.ReportInterval / 4) return false;
        if (HealthyIn(backends) != _healthy || backends.Selector.HasRoom(now) != _hadRoom) return true;
        var change = Math.Abs(leases - _leases);
        return change >= 8 && change > (_tiers[0].Spare + _tiers[1].Spare) / 4;
    }

    /// <summary>Makes the report for one peer.</summary>
    /// <param name="config">The configuration.</param>
    /// <param name="receiver">The peer.</param>
    /// <param name="reservations">Backends, costs and leases.</param>
    /// <param name="now">Now.</param>
    public PoolReport Build(PoolConfig config, string receiver, Reservations reservations, TimeSpan now)
    {
        // A peer that has just been heard is granted its share at once, and one that is lost leaves its own to the others.
        var connected = peers.Connected;
        if (_body is null || connected != _connected || now - _builtAt >= options.Regions.ReportInterval / 2
            || IsNeededSooner(reservations.Backends, reservations.Leases.Count, now))
        {
            _connected = connected;
            _body = BuildBody(config, reservations, now);
            _builtAt = now;
            Grant(now);
        }

        if (!peers.TryFind(receiver, out var peer)) return _body;
        // What another shard of the pool takes is no other region's business.
        if (!peer.IsShard && peers.Shards > 0) return ForRegion(peer, now);
        return Own(peer);
    }

    private PoolReport Own(Peer peer) => _body! with
    {
        ReceivedEpoch = peer.Told.ReceivedEpoch,
        Received = peer.Told.Received,
        Hosted = peer.Told.Hosted,
        Tiers = [.. _body.Tiers.Select(t => t with { Grant = t.Preference == BackendPreference.Preferred ? peer.Told.GrantPreferred : peer.Told.Grant })],
    };

    private PoolReport ForRegion(Peer peer, TimeSpan now) => Own(peer) with { OverflowPerSecond = Math.Round(peers.BeyondShardsPerSecond(now), 1) };

    private PoolReport BuildBody(PoolConfig config, Reservations reservations, TimeSpan now)
    {
        var backends = reservations.Backends;
        foreach (var tier in _tiers) tier.Clear();
        var ready = Waits(reservations, now, out var least, out var sumWait, out var sumSpeed);
        AddBackends(backends, now);
        (_healthy, _hadRoom, _leases) = (HealthyIn(backends), backends.Selector.HasRoom(now), reservations.Leases.Count);
        // Those who wait here come before anybody from elsewhere, and so do those who are going to come and would find no room: a place that has just become
        // free, or a token that has just come, is theirs.
        var waiting = room.Queue.Count + (backends.IsFree ? 0 : peers.OverflowPerSecond(now) * (options.Regions.ReportInterval + SoonestArrival()).TotalSeconds);
        foreach (var tier in _tiers)
        {
            var taken = Math.Min(waiting, tier.Spare);
            tier.Spare -= taken;
            waiting -= taken;
        }

        return new PoolReport
        {
            Pool = config.Id,
            Epoch = options.Epoch,
            Tiers = [.. _tiers.Where(t => t.Endpoints > 0).Select(t => t.ToReport())],
            OverflowPerSecond = Math.Round(peers.OverflowPerSecond(now), 1),
            Waiting = Waiting(),
            MarginalWaitMs = ready == 0 ? double.PositiveInfinity : Math.Round(_waits[0], 1),
            WaitLadderMs = Ladder(ready),
            MarginalDecodeMs = least < 0 ? 0 : Math.Round(endpoints.Costs.Rows[least].DecodeMs, 2),
            MsPerToken = ready == 0 ? 0 : Math.Round(sumSpeed / ready * reservations.Costs.Curve.MsPerToken, 5),
            MeanWaitMs = ready == 0 ? 0 : Math.Round(sumWait / ready, 1),
            PromptCosts = ready == 0 ? [] : _freshCosts.Of(reservations.Costs, backends.Excluded, sumWait / ready, BeginsAtOnceMs, BusyShare(ready)),
            CacheTokens = reservations.CacheTokens,
            CachedEver = reservations.CachedEver,
            Flows = FlowsAt(now),
            Models = Models(),
            HotPrefixes = Digest(now),
        };
    }

    // The waits of all ready endpoints, ordered; what an endpoint without a target has room for.
    private int Waits(Reservations reservations, TimeSpan now, out int least, out double sumWait, out double sumSpeed)
    {
        var rows = endpoints.Costs;
        if (_waits.Length < rows.Count) _waits = new double[Math.Max(16, rows.Count * 2)];
        var nowMs = now.TotalMilliseconds;
        var typicalMs = Math.Max(1, reservations.TypicalWorkMs);
        var ready = 0;
        (least, sumWait, sumSpeed) = (-1, 0, 0);
        var leastMs = double.PositiveInfinity;
        var free = reservations.Backends;
        var freshness = clock.Freshness(clock.Now);
        free.ClearFreeSpare();
        for (var slot = 0; slot < rows.Count; slot++)
        {
            ref var row = ref rows[slot];
            if (!row.IsReady || free.Excluded[row.Backend]) continue;
            var wait = row.WaitMs(nowMs) + row.QueuedMs;
            _waits[ready++] = wait;
            sumWait += wait;
            sumSpeed += row.PrefillSpeed;
            free.AddFreeSpare(row.Backend, FreeRoom.Of(endpoints.InSlot(slot), wait, typicalMs, freshness));
            if (wait + row.DecodeMs >= leastMs) continue;
            (least, leastMs) = (slot, wait + row.DecodeMs);
        }

        Array.Sort(_waits, 0, ready);
        return ready;
    }

    private void AddBackends(BackendTable backends, TimeSpan now)
    {
        var horizon = SoonestArrival();
        var rate = 0.0;
        foreach (var load in backends.Loads) rate += load.Rate(now);
        var ownShare = rate <= 0 ? 1 : Math.Clamp(1 - peers.ReceivedPerSecond(now) / rate, 0, 1);
        for (var i = 0; i < backends.Loads.Length; i++)
        {
            var load = backends.Loads[i];
            var tier = _tiers[load.Config.Settings.Preference == BackendPreference.Preferred ? 0 : 1];
            tier.Preference = load.Config.Settings.Preference;
            tier.Endpoints += load.EndpointCount;
            if (!backends.Selector.IsOpen(i))
            {
                tier.AddClosed(load);
                continue;
            }

            tier.Healthy += load.HealthyCount;
            var spare = load.Spare(now, load.Rate(now) * ownShare, horizon, peers.TrustInEnds);
            tier.Add(load, double.IsInfinity(spare) ? backends.FreeSpare(i) : spare, now);
        }
    }

    private void Grant(TimeSpan now)
    {
        var all = peers.Nearest;
        if (_outstanding.Length != all.Length) (_outstandingPreferred, _outstanding) = (new double[all.Length], new double[all.Length]);
        for (var i = 0; i < all.Length; i++)
        {
            var (preferred, either) = all[i].Grants.Outstanding(all[i].ReceivedEpoch, all[i].ReceivedInEpoch, all[i].Hosted, all[i].RoundTrip, now);
            (_outstandingPreferred[i], _outstanding[i]) = (preferred, either - preferred);
        }

        var first = Shares(_preferredShares, _tiers[0].Spare, _outstandingPreferred);
        var other = Shares(_shares, _tiers[1].Spare, _outstanding);
        // Which of two kinds of backends a request was at is not known where it came from.
        var isMixed = _tiers[0].Endpoints > 0 && _tiers[1].Endpoints > 0;
        var keepsPlaces = !isMixed && _tiers[0].KeepsPlaces && _tiers[1].KeepsPlaces && room.Queue.Count == 0 && peers.TrustInEnds >= LeastTrust && peers.OverflowPerSecond(now) <= 0;
        for (var i = 0; i < all.Length; i++)
        {
            var peer = all[i];
            peer.Told = new PeerGrant(peer.ReceivedEpoch, peer.ReceivedInEpoch, first[i], other[i])
            {
                Hosted = keepsPlaces && PlaceKeeping.IsDue(peer, all, _tiers[0].Spare + _tiers[1].Spare) ? peer.Hosted : null,
            };
            peer.Grants.Add(peer.Told, isPreferredOnly: _tiers[1].Endpoints == 0, now);
        }
    }

    private ReadOnlySpan<double> Shares(CreditShares shares, double spare, double[] outstanding)
    {
        var divided = shares.Divide(spare, peers.Nearest);
        shares.Limit(spare, outstanding);
        return divided;
    }

    // The waits are ordered. Those who wait in the pool count, as they do where an endpoint is chosen.
    private double BusyShare(int ready)
    {
        var idle = 0;
        while (idle < ready && _waits[idle] < BeginsAtOnceMs) idle++;
        return 1 - (double)idle / ready;
    }

    // What is granted now comes in a round trip at the soonest: only what will be free by then can be promised. Whoever does not overflow will hardly send.
    private TimeSpan SoonestArrival()
    {
        var (soonest, soonestOfAll) = (double.PositiveInfinity, double.PositiveInfinity);
        foreach (var peer in peers.Nearest)
        {
            if (!peer.IsConnected) continue;
            soonestOfAll = Math.Min(soonestOfAll, peer.RoundTripMs);
            if (peer.Report is { } report && (report.OverflowPerSecond > 0 || !report.Waiting.IsDefaultOrEmpty)) soonest = Math.Min(soonest, peer.RoundTripMs);
        }

        var chosen = double.IsFinite(soonest) ? soonest : soonestOfAll;
        return double.IsFinite(chosen) ? TimeSpan.FromMilliseconds(chosen) : TimeSpan.Zero;
    }

    private ImmutableArray<float> Ladder(int ready)
    {
        var steps = Math.Min(WaitLadder.MostSteps, ready);
        if (steps == 0) return [];
        var ladder = ImmutableArray.CreateBuilder<float>(steps);
        for (var step = 0; step < steps; step++)
        {
            var (from, to) = (step * ready / steps, (step + 1) * ready / steps);
            var sum = 0.0;
            for (var i = from; i < to; i++) sum += _waits[i];
            ladder.Add((float)Math.Round(sum / (to - from), 1));
        }

        return ladder.MoveToImmutable();
    }

    private ImmutableArray<WaitingCount> Waiting()
    {
        if (room.Queue.Count == 0) return [];
        var waiting = ImmutableArray.CreateBuilder<WaitingCount>();
        foreach (var band in room.Queue.Bands)
        {
            if (waiting.Count < MostPriorities) waiting.Add(new WaitingCount(band.Priority, band.Count));
            else waiting[^1] = waiting[^1] with { Requests = waiting[^1].Requests + band.Count };
        }

        return waiting.ToImmutable();
    }

    private ImmutableArray<string> Models()
    {
        if (_modelsVersion == models.Version) return _models;
        _modelsVersion = models.Version;
        _models = models.Told < endpoints.Configured.Length || models.Count > MostModels ? default : [.. models.Names.Order(StringComparer.Ordinal)];
        return _models;
    }

    private ImmutableArray<HotPrefix> Digest(TimeSpan now)
    {
        if (_digestAt != TimeSpan.MinValue && now - _digestAt < DigestEvery) return _digest;
        _digestAt = now;
        // A region hears one digest of all shards, of the same size.
        var digest = Hot.Digest(HotPrefixSet.Most / (1 + peers.Shards));
        // The same array as long as nothing changes, so that whoever compares sees it at once.
        if (!digest.AsSpan().SequenceEqual(_digest.AsSpan())) _digest = digest;
        return _digest;
    }

    private ImmutableArray<FlowUsage> FlowsAt(TimeSpan now)
    {
        if (_flowsAt != TimeSpan.MinValue && now - _flowsAt < FlowsEvery) return _flows;
        _flowsAt = now;
        return _flows = Flows.Read(now);
    }

    private static int HealthyIn(BackendTable backends)
    {
        var healthy = 0;
        foreach (var load in backends.Loads) healthy += load.HealthyCount;
        return healthy;
    }
}
