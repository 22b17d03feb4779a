using System.Diagnostics.CodeAnalysis;
using Mesh.Core.Metrics;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;

namespace Mesh.Core.Regions.Peers;

/// <summary>The peer regions of one pool, the nearest first. Few: they are walked at every decision that looks beyond the own region.</summary>
internal sealed class PeerTable(PoolStateOptions options, TimeProvider time)
{
    private readonly SlidingCounter _overflow = new(slots: 10, TimeSpan.FromMilliseconds(100));
    private readonly SlidingCounter _toShards = new(slots: 10, TimeSpan.FromMilliseconds(100));
    private readonly SlidingCounter _received = new(slots: 10, TimeSpan.FromMilliseconds(100));
    private Peer[] _peers = [];
    private int _lastNumber;

    /// <summary>Nearest first, names breaking ties.</summary>
    public ReadOnlySpan<Peer> Nearest => _peers;

    public bool IsEmpty => _peers.Length == 0;

    /// <summary>How many of them are heard and hear us.</summary>
    public int Connected
    {
        get
        {
            var connected = 0;
            foreach (var peer in _peers)
            {
                if (peer.IsConnected) connected++;
            }

            return connected;
        }
    }

    public PeerPrefixes Prefixes { get; } = new(options.PrefixLayout, Math.Max(64, options.MaxPrefixBlocks / 4));

    /// <summary>Requests per second that found no room at home.</summary>
    public double OverflowPerSecond(TimeSpan now) => _overflow.PerSecond(now);

    /// <summary>Those of them that no other shard of the pool was sent, either: what there is for other regions.</summary>
    public double BeyondShardsPerSecond(TimeSpan now) => Math.Max(0, _overflow.PerSecond(now) - _toShards.PerSecond(now));

    /// <summary>Requests per second that came from peers and were placed.</summary>
    public double ReceivedPerSecond(TimeSpan now) => _received.PerSecond(now);

    /// <summary>A request found no room at home, or a better place elsewhere.</summary>
    public void OnOverflow(TimeSpan now) => _overflow.Add(now);

    /// <summary>A request went to another shard of the pool.</summary>
    public void OnSentToShard(TimeSpan now) => _toShards.Add(now);

    /// <summary>Epoch that requests to other regions are sent with.</summary>
    public long Account { get; private set; } = options.Epoch;

    /// <summary>Other shards of the pool.</summary>
    public int Shards
    {
        get
        {
            var shards = 0;
            foreach (var peer in _peers)
            {
                if (peer.IsShard) shards++;
            }

            return shards;
        }
    }

    /// <summary>What goes to other regions is counted under another epoch from now on.</summary>
    public void BeginAccount(long epoch)
    {
        Account = epoch;
        foreach (var peer in _peers)
        {
            if (!peer.IsShard) peer.BeginAccount(epoch);
        }
    }

    /// <summary>
    /// How far peers may be granted places that are still taken but are expected to come free while a request is on its way, 0–1. Requests end in bursts, too:
    /// each that came in vain lowers it by a fifth, each that found its place raises it by half a percent, so that about one in forty comes in vain.
    /// </summary>
    public double TrustInEnds { get; private set; } = 1;

    /// <summary>A peer's request was placed here.</summary>
    public void OnReceivedPlaced(TimeSpan now)
    {
        _received.Add(now);
        TrustInEnds = Math.Min(1, TrustInEnds + 0.005);
    }

    /// <summary>A peer's request came in vain.</summary>
    public void OnReceivedRefused() => TrustInEnds *= 0.8;

    /// <summary>True when some peer has credits to send to, so that those who wait for room need to be asked.</summary>
    public bool HasCredits(TimeSpan now)
    {
        foreach (var peer in _peers)
        {
            if (peer.Credits.Available > 0 && peer.IsUsable(now)) return true;
        }

        return false;
    }

    /// <summary>True when a usable peer has preferred backends: then not even a pool without targets is free to choose by cost alone.</summary>
    public bool HasPreferred(TimeSpan now)
    {
        foreach (var peer in _peers)
        {
            if (peer.HasPreferred && peer.IsUsable(now)) return true;
        }

        return false;
    }

    public bool TryFind(string? region, [NotNullWhen(true)] out Peer? found)
    {
        foreach (var peer in _peers)
        {
            if (!string.Equals(peer.Region, region, StringComparison.Ordinal)) continue;
            found = peer;
            return true;
        }

        found = null;
        return false;
    }

    /// <summary>Sets the peers; those that stay keep all that is known of them.</summary>
    public void Set(ReadOnlySpan<string> regions)
    {
        var own = options.Locality.Region;
        var peers = new SortedDictionary<string, Peer>(StringComparer.Ordinal);
        if (own.Length > 0 || options.Shard.Length > 0)
        {
            foreach (var region in regions)
            {
                if (region == own || region == options.Shard || peers.ContainsKey(region)) continue;
                if (!TryFind(region, out var peer))
                {
                    peer = new Peer(region, _lastNumber++ % PeerPrefixes.MostPeers, time, options.Regions, ShardName.TryParse(region, out _) ? options.Epoch : Account);
                    Prefixes.Forget(peer.Number);
                    if (options.Locality.RoundTripTimes.TryGetValue(region, out var configured)) peer.MeasuredRoundTrip = configured;
                }
                peers.Add(region, peer);
            }
        }

        _peers = [.. peers.Values];
        Order();
    }

    /// <summary>Puts the nearest first again, after a round trip has been measured.</summary>
    public void Order() => Array.Sort(_peers, static (a, b) =>
        a.RoundTripMs.CompareTo(b.RoundTripMs) is var order && order != 0 ? order : string.CompareOrdinal(a.Region, b.Region));
}
