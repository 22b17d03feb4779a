using System.Text;

namespace Mesh.Simulation.Tokens;

/// <summary>
/// Chained 64-bit hashes of the full blocks of a token sequence: a block's hash covers its tokens and all before it, so equal hashes mean
/// an equal beginning. Never 0. The same on every machine.
/// </summary>
internal static class BlockHasher
{
    private const ulong Odd = 0x9E3779B97F4A7C15;

    /// <summary>Seed of a chain: what keeps the caches of different adapters and tenants apart.</summary>
    public static ulong Seed(string? adapter, string? cacheSalt)
    {
        var hash = Odd;
        hash = Mix(hash, adapter is null ? 1 : TextHash(adapter));
        return Mix(hash, cacheSalt is null ? 2 : TextHash(cacheSalt));
    }

    /// <summary>Hashes every full block of <paramref name="prompt"/> followed by <paramref name="answer"/>.</summary>
    public static ulong[] Hash(ReadOnlySpan<int> prompt, ReadOnlySpan<int> answer, int blockSize, ulong seed)
    {
        var hashes = new ulong[(prompt.Length + answer.Length) / blockSize];
        var chain = seed;
        for (var block = 0; block < hashes.Length; block++)
        {
            var start = block * blockSize;
            for (var i = start; i < start + blockSize; i++)
            {
                chain = Mix(chain, (uint)(i < prompt.Length ? prompt[i] : answer[i - prompt.Length]));
            }

            hashes[block] = chain == 0 ? 1 : chain;
        }

        return hashes;
    }

    /// <summary>One hash of a whole token sequence.</summary>
    public static ulong Whole(ReadOnlySpan<int> tokens, ulong seed)
    {
        foreach (var token in tokens) seed = Mix(seed, (uint)token);
        return seed;
    }

    public static ulong Mix(ulong hash, ulong value)
    {
        var high = Math.BigMul(hash ^ value ^ 0xD6E8FEB86659FD93, Odd, out var low);
        return high ^ low ^ (hash << 1 | hash >> 63);
    }

    private static ulong TextHash(string text)
    {
        var hash = Odd;
        foreach (var b in Encoding.UTF8.GetBytes(text)) hash = Mix(hash, b);
        return hash;
    }
}
