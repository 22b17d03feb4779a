using System.Collections.Immutable;
using Mesh.Core.PrefixCache;
using Mesh.Core.Regions.Peers;
using Mesh.Core.Regions.Reports;

namespace Mesh.Core.Regions.Reporting;

/// <summary>
/// Which beginnings of prompts many requests share: counts in sets of eight places, the least counted giving way to a newcomer. A fifth is
/// forgotten with every digest, so that what is not asked for any more leaves. Fixed memory; counting allocates nothing.
/// </summary>
internal sealed class HotPrefixCounter(PrefixLayout layout)
{
    private const int Sets = 256;
    private const int Ways = 8;
    private const float LeastCount = 1.5f;
    private readonly Entry[] _entries = new Entry[Sets * Ways];
    private readonly List<(double Score, HotPrefix Prefix)> _best = [];

    /// <summary>Counts a prompt that was placed here.</summary>
    public void Count(ReadOnlySpan<ulong> chain)
    {
        for (var blocks = Math.Min(chain.Length, ushort.MaxValue); blocks > 0; blocks = PrefixMarks.Below(blocks)) Count(chain[blocks - 1], (ushort)blocks);
    }

    /// <summary>The beginnings that save most, ordered by hash: count times tokens. Those asked for about once are left out.</summary>
    /// <param name="most">At most so many.</param>
    public ImmutableArray<HotPrefix> Digest(int most)
    {
        _best.Clear();
        foreach (ref var entry in _entries.AsSpan())
        {
            if (entry.Count >= LeastCount) _best.Add((entry.Count * (double)layout.TokensIn(Math.Min(entry.Blocks, layout.MaxBlocks)), new HotPrefix((uint)entry.Hash, entry.Blocks)));
            entry.Count *= 0.8f;
        }

        _best.Sort(static (a, b) => b.Score.CompareTo(a.Score) is var order && order != 0 ? order : a.Prefix.CompareTo(b.Prefix));
        var count = Math.Min(most, _best.Count);
        var digest = ImmutableArray.CreateBuilder<HotPrefix>(count);
        for (var i = 0; i < count; i++) digest.Add(_best[i].Prefix);
        digest.Sort();
        return digest.MoveToImmutable();
    }

    private void Count(ulong hash, ushort blocks)
    {
        var set = _entries.AsSpan((int)((hash >> 32) % Sets) * Ways, Ways);
        var least = 0;
        for (var i = 0; i < Ways; i++)
        {
            if (set[i].Hash == hash && set[i].Blocks == blocks)
            {
                set[i].Count++;
                return;
            }
            if (set[i].Count < set[least].Count) least = i;
        }

        set[least] = new Entry { Hash = hash, Blocks = blocks, Count = 1 };
    }

    private struct Entry
    {
        public ulong Hash;
        public float Count;
        public ushort Blocks;
    }
}
