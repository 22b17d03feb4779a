using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Mesh.Engine.Federation.Links;

/// <summary>The peers at one moment, by name and by region. Immutable; the peers themselves live on from one set to the next.</summary>
internal sealed class PeerSet
{
    /// <param name="peers">In any order; names and regions are each unique.</param>
    public PeerSet(IEnumerable<Peer> peers)
    {
        Ordered = [.. peers.OrderBy(p => p.Address.Name, StringComparer.Ordinal)];
        ByName = Ordered.ToFrozenDictionary(p => p.Address.Name, StringComparer.Ordinal);
        ByRegion = Ordered.ToFrozenDictionary(p => p.Address.Region, StringComparer.Ordinal);
    }

    /// <summary>Nobody.</summary>
    public static PeerSet Empty { get; } = new([]);

    /// <summary>Ordered by name.</summary>
    public ImmutableArray<Peer> Ordered { get; }

    public FrozenDictionary<string, Peer> ByName { get; }

    public FrozenDictionary<string, Peer> ByRegion { get; }

    /// <summary>The peer that is configured exactly so; null when none is.</summary>
    public Peer? Kept(PeerAddress address) => ByName.TryGetValue(address.Name, out var peer) && peer.Address.Equals(address) ? peer : null;
}
