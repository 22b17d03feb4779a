namespace Mesh.Core.PrefixCache.Exact;

/// <summary>One endpoint's events: one engine, one data-parallel rank of it.</summary>
internal sealed class CacheFeed(int column, int slot)
{
    /// <summary>Its bit in the rows of the mapping table.</summary>
    public int Column => column;

    /// <summary>The endpoint's number in the pool.</summary>
    public int Slot => slot;

    public CacheKnowledge Knowledge { get; set; }

    /// <summary>Tokens of a block, as last told; 0 before the first.</summary>
    public int BlockTokens { get; set; }

    public GrowthLog Growths { get; } = new();

    /// <summary>Blocks held.</summary>
    public int Count { get; set; }

    public int Newest { get; set; } = -1;

    public int Oldest { get; set; } = -1;
}
