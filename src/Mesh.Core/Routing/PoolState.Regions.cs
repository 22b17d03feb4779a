using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Sharding;
using Mesh.Core.Snapshots;

namespace Mesh.Core.Routing;

// Peer regions: what the pool learns of them, and what it tells them. The host calls, for each pool of its own region:
// - SetPeers when the peers are configured, before or after requests come;
// - ApplyRoundTrip whenever a link's round trip has been measured;
// - ApplyPeer for every report received, at once, whether it changed anything or not: its arrival is what keeps the peer fresh;
// - PeerLost when a peer's stream breaks;
// - BuildReport for every peer each ReportInterval, and at once when NeedsReportSooner, which is worth a look after every call.
// After ApplyPeer and Tick waiting requests may have been decided (TryTakeDecided).
public sealed partial class PoolState
{
    /// <summary>True when something has changed so much since the last report that peers should hear of it before the next is due.</summary>
    public bool NeedsReportSooner => _reports.IsNeededSooner(_reservations.Backends, _reservations.Leases.Count, _clock.SinceStart(_clock.Now));

    /// <summary>
    /// Sets the peer regions; those that stay keep what is known of them. Without peers, or without an own region (<see cref="PoolStateOptions.Locality"/>),
    /// nothing is ever forwarded. Requests in flight with a peer that leaves go on.
    /// </summary>
    /// <param name="regions">Names, in any order; the own one and repetitions are passed over.</param>
    public void SetPeers(ReadOnlySpan<string> regions)
    {
        _peers.Set(regions);
        _reservations.Hot = _peers.IsEmpty ? null : _reports.Hot;
        _reservations.Flows = _peers.IsEmpty ? null : _reports.Flows;
    }

    /// <summary>
    /// Takes a peer's report. False, and no effect, when the peer is not configured, or the report is out of order or of an earlier start of the peer.
    /// </summary>
    /// <param name="report">The report's head.</param>
    /// <param name="part">This pool's part of it; null when the peer does not have the pool.</param>
    public bool ApplyPeer(RegionReport report, PoolReport? part)
    {
        ArgumentNullException.ThrowIfNull(report);
        if (!_peers.TryFind(report.Region, out var peer) || !peer.Link.Hear(report)) return false;
        var before = peer.Heard;
        var now = _clock.SinceStart(_clock.Now);
        peer.Apply(part, now);
        if (part is { Flows.IsDefaultOrEmpty: false }) _dispatcher.OnServedElsewhere(part.Flows, now - before);
        if (part is not null) _peers.Prefixes.Age(peer.Number, part.Epoch, part.CachedEver, peer.CacheTokens);
        _dispatcher.OfferToPeers();
        _dispatcher.Dispatch();
        return true;
    }

    /// <summary>The stream of a peer's reports has broken: nothing is sent there until the next report. Unknown peers have no effect.</summary>
    public void PeerLost(string region)
    {
        if (_peers.TryFind(region, out var peer)) peer.Link.Lose();
    }

    /// <summary>Takes the round-trip time of a peer's link as measured last. Unknown peers have no effect.</summary>
    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
        if (!_peers.TryFind(region, out var peer) || roundTrip < TimeSpan.Zero) return;
        peer.MeasuredRoundTrip = roundTrip;
        _peers.Order();
    }

    /// <summary>
    /// This pool's part of the report to a peer. Reports made within half an interval of each other share their figures, so that many peers cost little more
    /// than one.
    /// </summary>
    /// <param name="receiver">The peer; one that is not configured is granted nothing.</param>
    public PoolReport BuildReport(string receiver)
    {
        ArgumentNullException.ThrowIfNull(receiver);
        return _reports.Build(_config, receiver, _reservations, _clock.SinceStart(_clock.Now));
    }

    /// <summary>
    /// Epoch that requests to other regions are sent with: that of the state itself, until <see cref="BeginAccount"/>. A region counts what comes under one epoch
    /// together, so that several shards of a pool, which have it in common, have one account there.
    /// </summary>
    public long Account => _peers.Account;

    /// <summary>Counts what goes to other regions under another epoch from now on; nothing more goes there before their next reports.</summary>
    /// <param name="epoch">The epoch; not above the present one, it has no effect.</param>
    public void BeginAccount(long epoch)
    {
        if (epoch > _peers.Account) _peers.BeginAccount(epoch);
    }

    /// <summary>How the account with one region stands; nothing was sent to an unknown one.</summary>
    public ShardAccount AccountWith(string region) =>
        _peers.TryFind(region, out var peer) ? new ShardAccount(_peers.Account, peer.Credits.Forwarded, peer.Awaited, peer.InFlight) : new ShardAccount(_peers.Account, 0, 0, 0);

    private ImmutableArray<PeerSnapshot> PeerSnapshots()
    {
        if (_peers.IsEmpty) return [];
        var now = _clock.SinceStart(_clock.Now);
        var shown = ImmutableArray.CreateBuilder<PeerSnapshot>(_peers.Nearest.Length);
        foreach (var peer in _peers.Nearest)
        {
            shown.Add(new PeerSnapshot(peer.Region, peer.Link.State)
            {
                RoundTrip = peer.MeasuredRoundTrip,
                ReportAge = peer.Link.Age,
                Credits = Math.Max(0, peer.Credits.Available),
                InFlight = peer.InFlight,
                Hosted = peer.Hosted,
                Forwarded = peer.Forwarded,
                Refused = peer.Refused,
                Received = peer.Received,
                Endpoints = peer.Endpoints,
                Healthy = peer.Healthy,
                Fullness = peer.FullnessWithSent(now),
                WaitMs = peer.Report is null ? double.PositiveInfinity : peer.WaitMs,
            });
        }

        shown.Sort(static (a, b) => string.CompareOrdinal(a.Region, b.Region));
        return shown.MoveToImmutable();
    }
}
