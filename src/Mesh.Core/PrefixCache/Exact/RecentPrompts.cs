using Mesh.Core.PrefixCache.Crowds;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>
/// What was routed in the last moments: it counts as held until the events have had time to tell. Two indexes take turns, so that what
/// is old goes in one go: a prompt counts for one to two periods. Not thread-safe.
/// </summary>
internal sealed class RecentPrompts(PrefixLayout layout, int endpointCapacity, double periodMs)
{
    private const int MaxBlocks = 1 << 16;
    private PrefixIndex _newer = new(layout, endpointCapacity, MaxBlocks);
    private PrefixIndex _older = new(layout, endpointCapacity, MaxBlocks);
    private double _begunMs;

    public int EndpointCapacity => _newer.EndpointCapacity;

    public void Store(int slot, ReadOnlySpan<ulong> chain, double nowMs)
    {
        Turn(nowMs);
        _newer.Store(slot, chain);
    }

    /// <summary>Blocks of a chain that were routed to each endpoint lately.</summary>
    public void Match(ReadOnlySpan<ulong> chain, Span<int> held, Span<int> scratch, double nowMs)
    {
        Turn(nowMs);
        _newer.Match(chain, held);
        if (_older.Match(chain, scratch) == 0) return;
        for (var i = 0; i < held.Length; i++) held[i] = Math.Max(held[i], scratch[i]);
    }

    /// <summary>The same, for those who look at few of many endpoints.</summary>
    public void Look(ReadOnlySpan<ulong> chain, PromptHolders newer, PromptHolders older, double nowMs)
    {
        Turn(nowMs);
        _newer.Look(chain, newer);
        _older.Look(chain, older);
    }

    /// <summary>The same, of one endpoint.</summary>
    public int HeldBy(int slot, ReadOnlySpan<ulong> chain, double nowMs)
    {
        Turn(nowMs);
        return Math.Max(_newer.HeldBy(slot, chain), _older.HeldBy(slot, chain));
    }

    public void Forget(int slot)
    {
        _newer.Clear(slot);
        _older.Clear(slot);
    }

    private void Turn(double nowMs)
    {
        if (nowMs < _begunMs + periodMs) return;
        // The older one is as old as two periods now; the newer one too when nobody came for so long.
        Empty(_older);
        if (nowMs >= _begunMs + (2 * periodMs)) Empty(_newer);
        (_newer, _older) = (_older, _newer);
        _begunMs = nowMs;
    }

    private static void Empty(PrefixIndex index)
    {
        if (index.Blocks == 0) return;
        for (var slot = 0; slot < index.EndpointCapacity; slot++) index.Clear(slot);
    }
}
