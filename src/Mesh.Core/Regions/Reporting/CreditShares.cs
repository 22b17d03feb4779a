using Mesh.Core.Regions.Peers;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// Divides spare capacity among peers, never more than there is: whole requests, first to those whose highest priorities wait, the rest by how much finds no room
/// with each of them. A tenth goes to all alike, so that a peer whose load has just risen need not wait for a report of its need. What is left of a fraction is
/// carried over to the next division, so that over time each gets its exact share.
/// </summary>
internal sealed class CreditShares
{
    private const double EvenShare = 0.1;
    private double[] _shares = [];
    private double[] _carried = [];

    /// <summary>Divides <paramref name="spare"/>; the shares stand in the order of the peers. Valid until the next call.</summary>
    public ReadOnlySpan<double> Divide(double spare, ReadOnlySpan<Peer> peers)
    {
        if (_shares.Length != peers.Length) (_shares, _carried) = (new double[peers.Length], new double[peers.Length]);
        Array.Clear(_shares);
        if (!(spare > 0)) return _shares;
        var left = ByPriority(spare, peers);
        var total = 0.0;
        var able = 0;
        foreach (var peer in peers)
        {
            if (!IsAble(peer)) continue;
            able++;
            total += DemandOf(peer);
        }

        for (var i = 0; i < peers.Length; i++)
        {
            if (!IsAble(peers[i])) continue;
            var share = total > 0 ? EvenShare / able + (1 - EvenShare) * DemandOf(peers[i]) / total : 1.0 / able;
            _shares[i] += left * share;
        }

        Round(spare);
        return _shares;
    }

    // Whoever cannot be heard cannot send either: what it had would be idle.
    private static bool IsAble(Peer peer) => peer.IsConnected;

    private static double DemandOf(Peer peer) => peer.Report?.OverflowPerSecond ?? 0;

    private double ByPriority(double spare, ReadOnlySpan<Peer> peers)
    {
        var left = spare;
        var below = long.MaxValue;
        // At most as many different priorities as the reports can name.
        for (var round = 0; round < 16 && left > 0; round++)
        {
            var highest = long.MinValue;
            var waiting = 0.0;
            foreach (var peer in peers)
            {
                if (!IsAble(peer) || peer.Report is null) continue;
                foreach (var count in peer.Report.Waiting)
                {
                    if (count.Priority >= below || count.Priority < highest) continue;
                    if (count.Priority > highest) (highest, waiting) = (count.Priority, 0);
                    waiting += count.Requests;
                }
            }

            if (waiting <= 0) return left;
            var part = Math.Min(1, left / waiting);
            for (var i = 0; i < peers.Length; i++)
            {
                if (!IsAble(peers[i]) || peers[i].Report is null) continue;
                foreach (var count in peers[i].Report!.Waiting)
                {
                    if (count.Priority == highest) _shares[i] += part * count.Requests;
                }
            }

            left -= part * waiting;
            below = highest;
        }

        return left;
    }

    private void Round(double spare)
    {
        var whole = Math.Floor(spare + 1e-9);
        var given = 0.0;
        for (var i = 0; i < _shares.Length; i++)
        {
            var exact = _shares[i] + _carried[i];
            var rounded = Math.Max(0, Math.Min(Math.Floor(exact + 1e-9), whole - given));
            _carried[i] = Math.Clamp(exact - rounded, 0, 1);
            _shares[i] = rounded;
            given += rounded;
        }

        // Rounded down, some may be left: to the one that has been owed most.
        while (given + 1 <= whole && MostOwed() is >= 0 and var most)
        {
            _carried[most] = 0;
            _shares[most]++;
            given++;
        }
    }

    private int MostOwed()
    {
        var most = -1;
        for (var i = 0; i < _carried.Length; i++)
        {
            if (_carried[i] > 0 && (most < 0 || _carried[i] > _carried[most])) most = i;
        }

        return most;
    }
}
