using Mesh.Core.Regions.Reports;

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
    public bool NeedsReportSooner => false;

    /// <summary>
    /// Sets the peer regions; those that stay keep what is known of them. Without peers, or without an own region (<see cref="PoolStateOptions.Locality"/>),
    /// nothing is ever forwarded.
    /// </summary>
    /// <param name="regions">Names, in any order; the own one and repetitions are passed over.</param>
    public void SetPeers(ReadOnlySpan<string> regions)
    {
    }

    /// <summary>
    /// Takes a peer's report. False, and no effect, when the peer is not configured, or the report is out of order or of an earlier start of the peer.
    /// </summary>
    /// <param name="report">The report's head.</param>
    /// <param name="part">This pool's part of it; null when the peer does not have the pool.</param>
    public bool ApplyPeer(RegionReport report, PoolReport? part) => false;

    /// <summary>The stream of a peer's reports has broken: nothing is sent there until the next report. Unknown peers have no effect.</summary>
    public void PeerLost(string region)
    {
    }

    /// <summary>Takes the round-trip time of a peer's link as measured last. Unknown peers have no effect.</summary>
    public void ApplyRoundTrip(string region, TimeSpan roundTrip)
    {
    }

    /// <summary>
    /// This pool's part of the report to a peer. Reports made within half an interval of each other share their figures, so that many peers cost little more
    /// than one.
    /// </summary>
    /// <param name="receiver">The peer; one that is not configured is granted nothing.</param>
    public PoolReport BuildReport(string receiver) => new() { Pool = Id, Epoch = Epoch };
}
