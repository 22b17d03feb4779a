using System.Collections.Immutable;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Peers;

/// <summary>The hot prompts of a peer's report, for look-up by hash and length. Rebuilt in place; allocates nothing after the first use.</summary>
internal sealed class HotPrefixSet
{
    /// <summary>Most that a report may bring.</summary>
    public const int Most = 128;
    private const int Slots = 4 * Most;
    private readonly HotPrefix[] _slots = new HotPrefix[Slots];
    private ImmutableArray<HotPrefix> _current = [];

    public bool IsEmpty => _current.IsEmpty;

    public void Replace(ImmutableArray<HotPrefix> prefixes)
    {
        if (prefixes.IsDefault) prefixes = [];
        // The same array again, as a link hands it on that sends what has changed only.
        if (prefixes == _current) return;
        _current = prefixes;
        Array.Clear(_slots);
        for (var i = 0; i < prefixes.Length && i < Most; i++)
        {
            if (prefixes[i].Blocks == 0) continue;
            var at = prefixes[i].Hash % Slots;
            while (_slots[at].Blocks != 0) at = (at + 1) % Slots;
            _slots[at] = prefixes[i];
        }
    }

    public bool Contains(uint hash, int blocks)
    {
        for (var at = hash % Slots; _slots[at].Blocks != 0; at = (at + 1) % Slots)
        {
            if (_slots[at].Hash == hash && _slots[at].Blocks == blocks) return true;
        }

        return false;
    }

    /// <summary>Blocks of a chain that the set says are held; 0 for none.</summary>
    public int Match(ReadOnlySpan<ulong> chain)
    {
        if (_current.IsEmpty || chain.IsEmpty) return 0;
        for (var blocks = chain.Length; blocks > 0; blocks = PrefixMarks.Below(blocks))
        {
            if (Contains((uint)chain[blocks - 1], blocks)) return blocks;
        }

        return 0;
    }
}
