using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Mesh.Core.PrefixCache.Exact;

/// <summary>Identity of a block by its tokens and all before them: the same for every endpoint, whatever its own hashes are seeded with.</summary>
internal static class ExactHash
{
    private const ulong K0 = 0x9E3779B97F4A7C15, K1 = 0xD6E8FEB86659FD93, K2 = 0xA0761D6478BD642F;

    /// <summary>Identity of a block from that of its parent (or the seed) and its tokens.</summary>
    public static ulong Of(ulong parent, ReadOnlySpan<int> tokens, ulong blockSeed)
    {
        var hash = Mix(parent, blockSeed ^ K1);
        var pairs = MemoryMarshal.Cast<int, ulong>(tokens);
        for (var i = 0; i < pairs.Length; i++) hash = Mix(hash, pairs[i]);
        if ((tokens.Length & 1) != 0) hash = Mix(hash, (uint)tokens[^1] ^ K2);
        return hash;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Mix(ulong hash, ulong value)
    {
        var high = Math.BigMul(hash ^ K0, value ^ K2, out var low);
        return high ^ low ^ (hash << 29 | hash >> 35) ^ value;
    }
}
