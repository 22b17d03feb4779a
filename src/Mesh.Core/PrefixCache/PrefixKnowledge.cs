namespace Mesh.Core.PrefixCache;

/// <summary>
/// A pool's prefix index, made when the first request with a chain comes, for as many endpoints as there are slots then; more endpoints
/// than it was made for make a new one. Not thread-safe.
/// </summary>
internal sealed class PrefixKnowledge(PrefixLayout layout, int maxBlocks)
{
    private const int LeastSlots = 64;
    private PrefixIndex? _index;
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
        _index.SetCapacity(slot, capacityTokens);
        _index.Store(slot, chain);
    }

    /// <summary>An endpoint holds nothing any more.</summary>
    public void Forget(int slot) => _index?.Clear(slot);
}
