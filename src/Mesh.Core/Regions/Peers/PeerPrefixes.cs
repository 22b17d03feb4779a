using Mesh.Core.PrefixCache;

namespace Mesh.Core.Regions.Peers;

/// <summary>Which prompts were forwarded to which peer, so that a session finds its cache there again. Takes no memory before the first is.</summary>
internal sealed class PeerPrefixes(PrefixLayout layout, int maxBlocks)
{
    // More regions than this share one memory; the first ones are remembered.
    public const int MostPeers = 16;
    private readonly int[] _held = new int[MostPeers];
    private PrefixIndex? _index;

    /// <summary>Blocks of a chain that were sent to each peer, by its number; empty when nothing was.</summary>
    public ReadOnlySpan<int> Match(ReadOnlySpan<ulong> chain)
    {
        if (_index is null || chain.IsEmpty) return [];
        _index.Match(chain, _held);
        return _held;
    }

    public void Store(int peer, ReadOnlySpan<ulong> chain, long capacityTokens)
    {
        if (chain.IsEmpty || peer >= MostPeers) return;
        _index ??= new PrefixIndex(layout, MostPeers, maxBlocks);
        _index.SetCapacity(peer, capacityTokens);
        _index.Store(peer, chain);
    }

    public void Forget(int peer)
    {
        if (peer < MostPeers) _index?.Clear(peer);
    }
}
