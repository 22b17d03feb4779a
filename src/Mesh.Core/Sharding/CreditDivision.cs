using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Regions;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reporting;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Sharding;

/// <summary>
/// Divides what one peer region grants to a pool among the pool's shards, as a region divides its spare capacity among its peers: by who waits and how much overflows,
/// a tenth evenly, and so that what a shard may still use of its share before goes to nobody else. The region counts what comes from all shards as one account. What a
/// shard has not used by the next report is divided anew. Not thread-safe.
/// </summary>
public sealed class CreditDivision
{
    private static readonly TimeSpan RecentFor = TimeSpan.FromMilliseconds(250);
    private readonly TimeProvider _time;
    private readonly RegionOptions _options;
    private readonly long _began;
    private readonly CreditShares _preferredShares = new();
    private readonly CreditShares _shares = new();
    private readonly List<Share> _all = [];
    private CreditAccount _account = new(0);
    private TimeSpan? _countsSince = TimeSpan.Zero;

    /// <summary>Begins without shards.</summary>
    /// <param name="time">Clock.</param>
    /// <param name="options">Durations: a shard that is silent for as long as a region would be suspect gets nothing.</param>
    public CreditDivision(TimeProvider time, RegionOptions options)
    {
        ArgumentNullException.ThrowIfNull(time);
        ArgumentNullException.ThrowIfNull(options);
        (_time, _options, _began) = (time, options, time.GetTimestamp());
    }

    private TimeSpan Now => _time.GetElapsedTime(_began);

    /// <summary>A shard tells how it stands.</summary>
    /// <param name="shard">Its number, 0 to <see cref="ShardMap.Most"/> − 1.</param>
    /// <param name="account">Its account with the region.</param>
    /// <param name="part">What it tells the region: how much it needs is in it.</param>
    /// <param name="askedBefore">Time since it was asked: it has had every share of before.</param>
    public void Hear(int shard, in ShardAccount account, PoolReport part, TimeSpan askedBefore)
    {
        ArgumentNullException.ThrowIfNull(part);
        ArgumentOutOfRangeException.ThrowIfNegative(shard);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(shard, ShardMap.Most);
        while (_all.Count <= shard) _all.Add(new Share(new Peer(ShardName.Of(_all.Count), _all.Count, _time, _options, 0)));
        var now = Now;
        var share = _all[shard];
        if (account.Account != share.Account.Account) (share.MarkedAt, share.Mark, share.MarkBefore) = (now, account.Sent, 0);
        share.Account = account;
        share.AckedAt = now - askedBefore;
        share.Peer.Link.Hear(part.Epoch, ++share.Sequence, TimeSpan.Zero);
        share.Peer.Apply(part, now);
    }

    /// <summary>What each shard gets of a region's report.</summary>
    /// <param name="report">The region's part of its report.</param>
    /// <param name="shards">Shards that there are; each has been heard, or gets nothing.</param>
    /// <returns>A part for each shard, by number.</returns>
    public ImmutableArray<PoolReport> Divide(PoolReport report, int shards)
    {
        ArgumentNullException.ThrowIfNull(report);
        var now = Now;
        var account = shards > 0 && _all.Count > 0 ? _all[0].Account.Account : 0;
        var isOne = _all.Count >= shards && shards > 0;
        for (var i = 0; i < shards && isOne; i++) isOne = _all[i].Account.Account == account;
        var grants = new PeerGrant[shards];
        if (isOne) Grant(report, account, grants, now);
        var parts = ImmutableArray.CreateBuilder<PoolReport>(shards);
        for (var i = 0; i < shards; i++) parts.Add(Part(report, shards, i < _all.Count ? _all[i].Account : default, grants[i], isOne ? OnTheirWay(i, now) : 0));
        return parts.MoveToImmutable();
    }

    private void Grant(PoolReport report, long account, Span<PeerGrant> grants, TimeSpan now)
    {
        // :: Step 1: the account of all, those that are no more included.
        var (sent, awaited, inFlight) = (0L, 0, 0);
        foreach (var share in _all)
        {
            if (share.Account.Account != account) continue;
            sent += share.Account.Sent;
            awaited += share.Account.Awaited;
            inFlight += share.Account.InFlight;
        }

        if (_account.Epoch != account) _account = new CreditAccount(account);
        _account.SetSent(sent, now);
        _account.Apply(report with { Hosted = null }, awaited, now);
        // Where it keeps places for what ends, so many may be there at a time: each shard then has those that it fills, and its share of what is free. Else so many may
        // be sent; it may have counted what the shards have not told yet, and their limits go by what they have told.
        var keepsPlaces = report is { Hosted: not null, Tiers.Length: 1 };
        if (keepsPlaces) _countsSince = null;
        else _countsSince ??= now;
        var all = keepsPlaces ? report.Hosted!.Value + report.Tiers[0].Grant - inFlight : _account.Available + (HaveHeardSince(_countsSince!.Value, grants.Length) ? _account.Sent - sent : 0);
        var most = inFlight + all;
        all = Math.Max(0, all);
        var preferred = report.Tiers switch
        {
            [{ Preference: BackendPreference.Preferred }] => all,
            [_] => 0,
            _ => Math.Clamp(all - _account.Available + _account.AvailablePreferred, 0, all),
        };

        // :: Step 2: shares of it.
        var peers = new Peer[grants.Length];
        var (outstandingPreferred, outstanding) = (new double[grants.Length], new double[grants.Length]);
        for (var i = 0; i < peers.Length; i++)
        {
            peers[i] = _all[i].Peer;
            peers[i].Hosted = _all[i].Account.InFlight;
            // A silent one hears no reports either, and sends nothing.
            if (!peers[i].IsConnected) continue;
            var (first, either) = peers[i].Grants.Outstanding(account, _all[i].Account.Sent, peers[i].Hosted, now - _all[i].AckedAt, now);
            (outstandingPreferred[i], outstanding[i]) = (Math.Max(0, first), Math.Max(0, either - Math.Max(0, first)));
        }

        var ofPreferred = Shares(_preferredShares, preferred, peers, outstandingPreferred);
        var others = Shares(_shares, all - preferred, peers, outstanding);
        for (var i = 0; i < peers.Length; i++) grants[i] = new PeerGrant(account, _all[i].Account.Sent, ofPreferred[i], others[i]);
        // One tier alone: what is outstanding there is in one of the two.
        for (var i = 0; i < peers.Length; i++) outstanding[i] += outstandingPreferred[i];
        if (keepsPlaces) KeepPlaces(grants, peers, outstanding, most, all);
        for (var i = 0; i < peers.Length; i++)
        {
            peers[i].Grants.Add(grants[i], isPreferredOnly: report.Tiers is [{ Preference: BackendPreference.Preferred }], now);
        }
    }

    // One that has more than its share there leaves to the others what comes free. Some requests may have ended since the shards told of them, and fewer be allowed:
    // then each keeps its part of as many.
    private static void KeepPlaces(Span<PeerGrant> grants, Peer[] peers, double[] outstanding, double most, double free)
    {
        var (keeping, left) = (0L, most);
        for (var i = 0; i < peers.Length; i++)
        {
            var share = grants[i].GrantPreferred + grants[i].Grant;
            var keeps = PlaceKeeping.IsDueAmongShards(peers[i], peers, free);
            // Until it hears of its new part, it may use what it had before.
            left -= Math.Max(share, outstanding[i]) + (keeps ? 0 : peers[i].Hosted);
            if (keeps) keeping += peers[i].Hosted;
        }

        var places = (long)Math.Clamp(Math.Floor(left), 0, keeping);
        var (before, kept) = (0L, 0L);
        for (var i = 0; i < peers.Length; i++)
        {
            if (!PlaceKeeping.IsDueAmongShards(peers[i], peers, free)) continue;
            before += peers[i].Hosted;
            var upTo = keeping == 0 ? 0 : before * places / keeping;
            grants[i] = grants[i] with { Hosted = (int)(upTo - kept) };
            kept = upTo;
        }
    }

    // What a shard has sent in the places of what had ended is in its count once it knows that none are kept.
    private bool HaveHeardSince(TimeSpan since, int shards)
    {
        for (var i = 0; i < shards; i++)
        {
            if (_all[i].AckedAt < since && since > TimeSpan.Zero && _all[i].Peer.IsConnected) return false;
        }

        return true;
    }

    private static ReadOnlySpan<double> Shares(CreditShares shares, double free, Peer[] peers, double[] outstanding)
    {
        var divided = shares.Divide(free, peers);
        shares.Limit(free, outstanding);
        return divided;
    }

    // What is on its way, divided by who has sent of late: it makes the region look as full as it is going to be. A shard that has sent nothing of late has none, as
    // it takes what is unanswered for so long for lost.
    private double OnTheirWay(int shard, TimeSpan now)
    {
        var (recent, own) = (0L, 0L);
        for (var i = 0; i < _all.Count; i++)
        {
            if (_all[i].Account.Account != _account.Epoch) continue;
            var sent = _all[i].Recent(now, RecentFor);
            recent += sent;
            if (i == shard) own = sent;
        }

        var all = Math.Max(0, _account.OnTheirWay);
        return recent == 0 ? 0 : Math.Min(own, Math.Floor((double)all * own / recent));
    }

    private static PoolReport Part(PoolReport report, int shards, ShardAccount account, PeerGrant grant, double onTheirWay)
    {
        var preferredTier = report.Tiers.Any(t => t.Preference == BackendPreference.Preferred);
        return report with
        {
            // What the region has lost by beginning anew is settled here, and must not be settled once more.
            Epoch = account.Account,
            ReceivedEpoch = account.Account,
            Received = account.Sent - (long)onTheirWay,
            Hosted = grant.Hosted - (int)onTheirWay,
            Tiers =
            [
                .. report.Tiers.Select((t, i) => t with
                {
                    Grant = (t.Preference == BackendPreference.Preferred ? grant.GrantPreferred : preferredTier ? grant.Grant : grant.GrantPreferred + grant.Grant)
                        + (i == 0 ? onTheirWay : 0),
                }),
            ],
            // Each shard lends to the region, and gives a flow its turns, for its own part.
            OverflowPerSecond = report.OverflowPerSecond / shards,
            Waiting = [.. report.Waiting.Select(w => w with { Requests = (w.Requests + shards - 1) / shards })],
            Flows = [.. report.Flows.Select(f => f with { PerSecond = f.PerSecond / shards })],
        };
    }

    private sealed class Share(Peer peer)
    {
        public Peer Peer { get; } = peer;

        public ShardAccount Account { get; set; }

        public TimeSpan AckedAt { get; set; }

        public long Sequence { get; set; }

        // What had been sent when it was looked at last, and the time before that.
        public TimeSpan MarkedAt { get; set; }

        public long Mark { get; set; }

        public long MarkBefore { get; set; }

        /// <summary>Requests sent in a time between one and two lengths.</summary>
        public long Recent(TimeSpan now, TimeSpan length)
        {
            if (now - MarkedAt >= length) (MarkBefore, Mark, MarkedAt) = (now - MarkedAt >= 2 * length ? Account.Sent : Mark, Account.Sent, now);
            return Math.Max(0, Account.Sent - MarkBefore);
        }
    }
}
