using Mesh.Core.PrefixCache;

namespace Mesh.Core.Regions.Peers;

/// <summary>
/// Which prompts were forwarded to which peer, so that a session finds its cache there again. Most of what a peer's caches take in does not come from here: a
/// peer tells how much they have taken in altogether, and what was sent before they took in as much as they hold is forgotten. To that end there are two
/// memories, a younger and an older; when half of the caches has been replaced the older is emptied and becomes the younger. Takes no memory before the first
/// is forwarded.
/// </summary>
internal sealed class PeerPrefixes(PrefixLayout layout, int maxBlocks)
{
    // More regions than this share one memory; the first ones are remembered.
    public const int MostPeers = 16;
    private readonly int[] _held = new int[MostPeers];
    private readonly int[] _heldBefore = new int[MostPeers];
    private readonly PrefixIndex?[] _index = new PrefixIndex?[2];
    private readonly Generation[] _generations = new Generation[MostPeers];

    /// <summary>Blocks of a chain that were sent to each peer, by its number; empty when nothing was.</summary>
    public ReadOnlySpan<int> Match(ReadOnlySpan<ulong> chain)
    {
        if (_index[0] is not { } one || _index[1] is not { } other || chain.IsEmpty) return [];
        one.Match(chain, _held);
        other.Match(chain, _heldBefore);
        for (var peer = 0; peer < MostPeers; peer++) _held[peer] = Math.Max(_held[peer], _heldBefore[peer]);
        return _held;
    }

    /// <summary>A prompt is forwarded.</summary>
    public void Store(int peer, ReadOnlySpan<ulong> chain, long capacityTokens)
    {
        if (chain.IsEmpty || peer >= MostPeers) return;
        _index[0] ??= new PrefixIndex(layout, MostPeers, maxBlocks);
        _index[1] ??= new PrefixIndex(layout, MostPeers, maxBlocks);
        var young = _index[_generations[peer].Young]!;
        young.SetCapacity(peer, capacityTokens);
        young.Store(peer, chain);
    }

    /// <summary>A peer has told what its caches have taken in.</summary>
    /// <param name="peer">The peer's number.</param>
    /// <param name="epoch">Epoch of the count: another one begins anew, the caches do not.</param>
    /// <param name="takenIn">Tokens since then.</param>
    /// <param name="capacityTokens">Tokens that they hold.</param>
    public void Age(int peer, long epoch, long takenIn, long capacityTokens)
    {
        if (peer >= MostPeers) return;
        ref var generation = ref _generations[peer];
        if (generation.Epoch != epoch || takenIn < generation.Since) (generation.Epoch, generation.Since) = (epoch, takenIn);
        if (takenIn - generation.Since < capacityTokens) return;
        generation.Since = takenIn;
        generation.Young ^= 1;
        _index[generation.Young]?.Clear(peer);
    }

    /// <summary>The number is another peer's from now on.</summary>
    public void Forget(int peer)
    {
        if (peer >= MostPeers) return;
        _index[0]?.Clear(peer);
        _index[1]?.Clear(peer);
        _generations[peer] = default;
    }

    private struct Generation
    {
        public long Epoch;
        public long Since;
        public int Young;
    }
}
