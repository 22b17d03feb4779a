namespace Mesh.Core.PrefixCache.Exact;

/// <summary>A run of consecutive blocks of one prompt that an endpoint has put into its cache. Spans are used during the call only.</summary>
public readonly ref struct StoredBlocks
{
    /// <summary>The endpoint's own hashes of the blocks, first to last.</summary>
    public ReadOnlySpan<ulong> Hashes { get; init; }

    /// <summary>Its hash of the block before the first one; null where the prompt begins.</summary>
    public ulong? Parent { get; init; }

    /// <summary>The tokens in the blocks, blocks × <see cref="BlockTokens"/> of them; empty if they are not told.</summary>
    public ReadOnlySpan<int> TokenIds { get; init; }

    /// <summary>Tokens per block, at least 1.</summary>
    public int BlockTokens { get; init; }

    /// <summary>What keeps equal tokens apart from the first block on, as an adapter does; 0 without.</summary>
    public ulong Seed { get; init; }

    /// <summary>What else went into each block's hash, one number a block, 0 for nothing; empty without.</summary>
    public ReadOnlySpan<ulong> BlockSeeds { get; init; }

    /// <summary>Where they lie.</summary>
    public CacheTier Tier { get; init; }
}
