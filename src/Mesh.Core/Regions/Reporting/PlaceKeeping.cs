using Mesh.Core.Regions.Peers;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// Whose places stay whose. A peer knows that one of its requests has ended as soon as the region that served it does, and could have sent the next by the time that a
/// report tells it of the place: what overflows meanwhile goes farther than it had to. So the place of a request that ends is its sender's again, as long as nobody
/// with a better claim wants it.
/// </summary>
internal static class PlaceKeeping
{
    /// <summary>True when a peer may fill the places of its own requests as they end, as far as other peers are concerned.</summary>
    /// <param name="peer">The peer.</param>
    /// <param name="peers">All of them.</param>
    /// <param name="spare">Requests that could be taken besides those that are here.</param>
    public static bool IsDue(Peer peer, ReadOnlySpan<Peer> peers, double spare)
    {
        return IsKnownThere(peer, peers) && IsDueAmongShards(peer, peers, spare);
    }

    /// <summary>As <see cref="IsDue"/>, between the shards of a pool that has places in a region.</summary>
    public static bool IsDueAmongShards(Peer peer, ReadOnlySpan<Peer> peers, double spare)
    {
        if (!peer.IsConnected) return false;
        var (demand, hosted, waiting) = (0.0, 0, long.MinValue);
        foreach (var each in peers)
        {
            hosted += each.Hosted;
            if (!each.IsConnected) continue;
            demand += DemandOf(each);
            if (each != peer) waiting = Math.Max(waiting, HighestWaiting(each));
        }

        if (waiting > HighestWaiting(peer)) return false;
        var others = demand - DemandOf(peer);
        // Whoever has more than its share of what peers have together leaves to the others what comes free.
        return others <= 0 || peer.Hosted <= Math.Ceiling(DemandOf(peer) / demand * (hosted + spare));
    }

    // Between shards of a pool, the one that has sent a request on does not hear of its end; and what another shard needs, it gets before other regions.
    private static bool IsKnownThere(Peer peer, ReadOnlySpan<Peer> peers)
    {
        if (peer.IsShard) return false;
        foreach (var each in peers)
        {
            if (each.IsShard && (DemandOf(each) > 0 || HighestWaiting(each) > long.MinValue)) return false;
        }

        return true;
    }

    private static double DemandOf(Peer peer) => peer.Report?.OverflowPerSecond ?? 0;

    private static long HighestWaiting(Peer peer) => peer.Report is { Waiting: { IsDefaultOrEmpty: false } waiting } ? waiting[0].Priority : long.MinValue;
}
