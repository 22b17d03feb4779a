namespace Mesh.Engine.KvEvents.Events;

/// <summary>
/// Blocks that a model server now holds: a run of consecutive blocks of one prompt, each the child of the one before. Spans are valid
/// during the call only.
/// </summary>
public readonly ref struct KvBlockStored
{
    /// <summary>Sequence number of the batch, as published.</summary>
    public ulong Sequence { get; init; }

    /// <summary>When the publisher made the batch, in seconds since 1970 by its own clock; NaN if it does not say.</summary>
    public double TimestampSeconds { get; init; }

    /// <summary>
    /// The blocks' hashes, first to last, in 64 bits: an integer as it came (a negative one as its two's complement), a byte string by its
    /// last eight bytes read as big-endian, which is what the publisher itself sends when it is set to integer hashes.
    /// </summary>
    public ReadOnlySpan<ulong> BlockHashes { get; init; }

    /// <summary>Hash of the block before the first one, or null where the prompt begins.</summary>
    public ulong? ParentBlockHash { get; init; }

    /// <summary>The tokens in these blocks, in order: blocks × block size of them, or none if the publisher leaves them out.</summary>
    public ReadOnlySpan<int> TokenIds { get; init; }

    /// <summary>Tokens per block, at least 1.</summary>
    public int BlockSizeTokens { get; init; }

    /// <summary>The LoRA adapter's number, or null. Newer publishers name it in <see cref="LoraName"/>.</summary>
    public long? LoraId { get; init; }

    /// <summary>The LoRA adapter's name in UTF-8, or empty.</summary>
    public ReadOnlySpan<byte> LoraName { get; init; }

    /// <summary>Where the blocks lie, in UTF-8: <c>GPU</c>, <c>CPU</c> and so on; empty if the publisher does not say.</summary>
    public ReadOnlySpan<byte> Medium { get; init; }

    /// <summary>
    /// What else went into the hashes (cache salt, image hashes, adapter), as the MessagePack value that came, one entry a block; empty
    /// if none. Blocks that have it cannot be recognized by their tokens alone.
    /// </summary>
    public ReadOnlySpan<byte> ExtraKeys { get; init; }

    /// <summary>Number of the cache group, for models with several kinds of attention; null if the publisher has one.</summary>
    public int? GroupIndex { get; init; }

    /// <summary>Kind of that group's cache in UTF-8, or empty.</summary>
    public ReadOnlySpan<byte> CacheKind { get; init; }

    /// <summary>Window of that group in tokens, or null.</summary>
    public int? SlidingWindowTokens { get; init; }
}

/// <summary>Blocks that a model server no longer holds. Spans are valid during the call only.</summary>
public readonly ref struct KvBlockRemoved
{
    /// <inheritdoc cref="KvBlockStored.Sequence"/>
    public ulong Sequence { get; init; }

    /// <inheritdoc cref="KvBlockStored.TimestampSeconds"/>
    public double TimestampSeconds { get; init; }

    /// <inheritdoc cref="KvBlockStored.BlockHashes"/>
    public ReadOnlySpan<ulong> BlockHashes { get; init; }

    /// <inheritdoc cref="KvBlockStored.Medium"/>
    public ReadOnlySpan<byte> Medium { get; init; }

    /// <inheritdoc cref="KvBlockStored.GroupIndex"/>
    public int? GroupIndex { get; init; }
}
