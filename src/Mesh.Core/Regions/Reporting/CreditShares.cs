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
    private const double MostCarried = 2;
    // What another shard of the pool may need before it hears of the next division: two intervals, and a hiccup.
    private const double ShardHorizonSeconds = 0.25;
    private double[] _shares = [];
    private double[] _carried = [];

    /// <summary>Divides <paramref name="spare"/>; the shares stand in the order of the peers. Valid until the next call.</summary>
    public ReadOnlySpan<double> Divide(double spare, ReadOnlySpan<Peer> peers)
    {
        if (_shares.Length != peers.Length) (_shares, _carried) = (new double[peers.Length], new double[peers.Length]);
        Array.Clear(_shares);
        if (!(spare > 0)) return _shares;
        var isMixed = IsMixed(peers);
        var left = isMixed ? ToShards(spare, peers) : spare;
        left = ByPriority(left, peers, isMixed ? static p => !p.IsShard : static p => true);
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

    /// <summary>
    /// Sees to it that what is granted now, and what may still come by earlier grants, is together no more than there is: a share may fall at once, but rises only by
    /// what nobody else can claim any more. Changes the shares that <see cref="Divide"/> gave last.
    /// </summary>
    /// <param name="spare">What was divided.</param>
    /// <param name="outstanding">For each peer, what may still come by earlier grants.</param>
    public void Limit(double spare, ReadOnlySpan<double> outstanding)
    {
        var (free, wanted) = (spare, 0.0);
        for (var i = 0; i < _shares.Length; i++)
        {
            free -= outstanding[i];
            wanted += Math.Max(0, _shares[i] - outstanding[i]);
        }

        free = Math.Max(0, Math.Floor(free + 1e-9));
        if (wanted <= free) return;
        var given = 0.0;
        for (var i = 0; i < _shares.Length; i++)
        {
            var more = Math.Max(0, _shares[i] - outstanding[i]);
            if (more <= 0) continue;
            var part = Math.Floor(more * free / wanted + 1e-9);
            // What it does not get now it is owed.
            _carried[i] = Math.Min(MostCarried, _carried[i] + more - part);
            given += part;
            _shares[i] = outstanding[i] + part;
        }

        while (given + 1 <= free && MostOwed(outstanding) is >= 0 and var most)
        {
            Give(most);
            given++;
        }

        Settle();
    }

    // Whoever cannot be heard cannot send either: what it had would be idle.
    private static bool IsAble(Peer peer) => peer.IsConnected;

    private static double DemandOf(Peer peer) => peer.Report?.OverflowPerSecond ?? 0;

    // Other shards of the pool and other regions: the own region's clients come first, whichever shard they have come to.
    private static bool IsMixed(ReadOnlySpan<Peer> peers)
    {
        var (shards, regions) = (0, 0);
        foreach (var peer in peers)
        {
            if (peer.IsShard) shards++;
            else regions++;
        }

        return shards > 0 && regions > 0;
    }

    private double ToShards(double spare, ReadOnlySpan<Peer> peers)
    {
        var left = ByPriority(spare, peers, static p => p.IsShard);
        var need = 0.0;
        foreach (var peer in peers)
        {
            if (peer.IsShard && IsAble(peer)) need += DemandOf(peer) * ShardHorizonSeconds;
        }

        if (need <= 0 || left <= 0) return left;
        var part = Math.Min(1, left / need);
        for (var i = 0; i < peers.Length; i++)
        {
            if (peers[i].IsShard && IsAble(peers[i])) _shares[i] += part * DemandOf(peers[i]) * ShardHorizonSeconds;
        }

        return left - (part * need);
    }

    private double ByPriority(double spare, ReadOnlySpan<Peer> peers, Func<Peer, bool> counts)
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
                if (!IsAble(peer) || peer.Report is null || !counts(peer)) continue;
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
                if (!IsAble(peers[i]) || peers[i].Report is null || !counts(peers[i])) continue;
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
            var rounded = Math.Min(Math.Floor(_shares[i] + 1e-9), whole - given);
            _carried[i] = Math.Min(MostCarried, _carried[i] + _shares[i] - rounded);
            _shares[i] = rounded;
            given += rounded;
        }

        // Rounded down, some may be left: to the one that has been owed most.
        while (given + 1 <= whole && MostOwed() is >= 0 and var most)
        {
            Give(most);
            given++;
        }
    }

    // What all are owed alike decides nothing between them.
    private void Settle()
    {
        var least = double.PositiveInfinity;
        foreach (var carried in _carried) least = Math.Min(least, carried);
        if (least <= 0 || double.IsInfinity(least)) return;
        for (var i = 0; i < _carried.Length; i++) _carried[i] -= least;
    }

    private void Give(int peer)
    {
        _carried[peer] = Math.Max(-1, _carried[peer] - 1);
        _shares[peer]++;
    }

    // Among all, or among those who have no less than they may claim already.
    private int MostOwed(ReadOnlySpan<double> outstanding = default)
    {
        var most = -1;
        for (var i = 0; i < _carried.Length; i++)
        {
            if (_carried[i] > 0 && (outstanding.IsEmpty || _shares[i] >= outstanding[i]) && (most < 0 || _carried[i] > _carried[most])) most = i;
        }

        return most;
    }
}
