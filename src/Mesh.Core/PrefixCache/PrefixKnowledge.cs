namespace Mesh.Core.PrefixCache;

/// <summary>
/// A pool's prefix index, made when the first request with a chain comes, for as many endpoints as there are slots then; more endpoints
/// than it was made for make a new one. Not thread-safe.
/// </summary>
internal sealed class PrefixKnowledge(PrefixLayout layout, int maxBlocks)
{
    private const int LeastSlots = 64;
    private PrefixIndex? _index;
    // Of the capacity that endpoints claim, the share that is really there for prompts to come back to.
    private const float LeastShare = 1f / 16;
    private const float Loss = 0.95f;
    private const float Gain = 1.005f;
    private float[] _share = [];
    private int[] _held = [];
    private int _slots;

    public PrefixLayout Layout { get; } = layout;

    /// <summary>The index; null before the first chain.</summary>
    public PrefixIndex? Index => _index;

    /// <summary>Endpoints have slots 0 to this, exclusive.</summary>
    public void SetSlots(int slots)
    {
        _slots = slots;
        if (_held.Length < slots) _held = new int[Math.Max(LeastSlots, slots * 2)];
        if (_share.Length < slots)
        {
            var known = _share.Length;
            Array.Resize(ref _share, Math.Max(LeastSlots, slots * 2));
            _share.AsSpan(known).Fill(1);
        }
        if (_index is not null && slots > _index.EndpointCapacity) _index = null;
    }

    /// <summary>Blocks of a chain that each endpoint holds, by slot; empty when the request has no chain. Valid until the next call.</summary>
    public ReadOnlySpan<int> Match(ReadOnlySpan<ulong> chain)
    {
        if (chain.IsEmpty || _index is null) return [];
        var held = _held.AsSpan(0, _slots);
        _index.Match(chain, held);
        return held;
    }

    /// <summary>A prompt was sent to an endpoint, which will hold it.</summary>
    public void Store(int slot, ReadOnlySpan<ulong> chain, long capacityTokens)
    {
        if (chain.IsEmpty) return;
        _index ??= new PrefixIndex(Layout, Math.Max(LeastSlots, _slots * 2), maxBlocks);
        _index.SetCapacity(slot, (long)(capacityTokens * _share[slot]));
        _index.Store(slot, chain);
    }

    /// <summary>
    /// An endpoint told how much of a prompt it had. Running requests and other clients take their part of its cache: where it had lost what
    /// it was believed to hold, it is believed to keep 5% less from now on, and 0.5% more where it had it; so that one belief in eleven is
    /// wrong when the two are in balance.
    /// </summary>
    public void Observe(int slot, int believedTokens, int cachedTokens)
    {
        if (believedTokens <= 0 || _index is null) return;
        ref var share = ref _share[slot];
        // What is cached ends at a block's end, and the two sides' blocks end at different places.
        share = cachedTokens < believedTokens / 2 ? Math.Max(LeastShare, share * Loss) : Math.Min(1, share * Gain);
    }

    /// <summary>An endpoint holds nothing any more.</summary>
    public void Forget(int slot)
    {
        if (slot < _share.Length) _share[slot] = 1;
        _index?.Clear(slot);
    }
}
