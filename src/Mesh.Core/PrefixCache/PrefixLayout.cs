namespace Mesh.Core.PrefixCache;

/// <summary>
/// How long the blocks of a prompt are: block i covers a fixed number of tokens, the longer the deeper, so that a few hashes name a long
/// prompt while the shared system prompts at its start are told apart finely. Immutable.
/// </summary>
public sealed class PrefixLayout
{
    private readonly int[] _endTokens;

    private PrefixLayout(int[] endTokens) => _endTokens = endTokens;

    /// <summary>
    /// Blocks of 64, 256, 1,024 and 4,096 tokens, 48 of each: the first 3,072 tokens in steps of 64, 192 hashes (1.5 KiB) for 261,120
    /// tokens, 144 for a prompt of 64k.
    /// </summary>
    public static PrefixLayout Growing { get; } = CreateGrowing();

    /// <summary>Most blocks that a prompt has.</summary>
    public int MaxBlocks => _endTokens.Length;

    /// <summary>Blocks of one length, as traces with block ids have them.</summary>
    /// <param name="blockTokens">Tokens per block, at least 1.</param>
    /// <param name="maxBlocks">Most blocks of a prompt, at least 1.</param>
    public static PrefixLayout Uniform(int blockTokens, int maxBlocks)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(blockTokens);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(maxBlocks);
        var ends = new int[maxBlocks];
        for (var i = 0; i < maxBlocks; i++) ends[i] = (i + 1) * blockTokens;
        return new PrefixLayout(ends);
    }

    /// <summary>Tokens in the first <paramref name="blocks"/> blocks.</summary>
    public int TokensIn(int blocks) => blocks == 0 ? 0 : _endTokens[blocks - 1];

    private static PrefixLayout CreateGrowing()
    {
        const int PerLength = 48;
        var ends = new int[4 * PerLength];
        var end = 0;
        for (var i = 0; i < ends.Length; i++) ends[i] = end += 64 << (2 * (i / PerLength));
        return new PrefixLayout(ends);
    }
}
