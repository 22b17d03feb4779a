namespace Mesh.Engine.KvEvents.Events;

/// <summary>The fields of events that are read; every other one is skipped.</summary>
internal enum KvField
{
    Unknown,
    BlockHashes,
    ParentBlockHash,
    TokenIds,
    BlockSize,
    LoraId,
    Medium,
    LoraName,
    ExtraKeys,
    GroupIndex,
    CacheKind,
    SlidingWindow,
}

/// <summary>Types of events.</summary>
internal enum KvEventType
{
    Unknown,
    BlockStored,
    BlockRemoved,
    AllBlocksCleared,
}

/// <summary>Names and places of fields: by name where events are maps, by place after the tag where they are arrays.</summary>
internal static class KvFields
{
    private static readonly KvField[] StoredLayout =
    [
        KvField.BlockHashes, KvField.ParentBlockHash, KvField.TokenIds, KvField.BlockSize, KvField.LoraId, KvField.Medium,
        KvField.LoraName, KvField.ExtraKeys, KvField.GroupIndex, KvField.CacheKind, KvField.SlidingWindow,
    ];

    private static readonly KvField[] RemovedLayout = [KvField.BlockHashes, KvField.Medium, KvField.GroupIndex];

    public static KvEventType TypeOf(ReadOnlySpan<byte> tag) =>
        tag.SequenceEqual("BlockStored"u8) ? KvEventType.BlockStored
        : tag.SequenceEqual("BlockRemoved"u8) ? KvEventType.BlockRemoved
        : tag.SequenceEqual("AllBlocksCleared"u8) ? KvEventType.AllBlocksCleared
        : KvEventType.Unknown;

    /// <summary>The field at <paramref name="index"/> after the tag.</summary>
    public static KvField At(KvEventType type, int index)
    {
        var layout = type == KvEventType.BlockStored ? StoredLayout : RemovedLayout;
        return index < layout.Length ? layout[index] : KvField.Unknown;
    }

    public static KvField Named(ReadOnlySpan<byte> name) => name.Length switch
    {
        6 when name.SequenceEqual("medium"u8) => KvField.Medium,
        7 when name.SequenceEqual("lora_id"u8) => KvField.LoraId,
        9 when name.SequenceEqual("token_ids"u8) => KvField.TokenIds,
        9 when name.SequenceEqual("lora_name"u8) => KvField.LoraName,
        9 when name.SequenceEqual("group_idx"u8) => KvField.GroupIndex,
        10 when name.SequenceEqual("block_size"u8) => KvField.BlockSize,
        10 when name.SequenceEqual("extra_keys"u8) => KvField.ExtraKeys,
        12 when name.SequenceEqual("block_hashes"u8) => KvField.BlockHashes,
        17 when name.SequenceEqual("parent_block_hash"u8) => KvField.ParentBlockHash,
        18 when name.SequenceEqual("kv_cache_spec_kind"u8) => KvField.CacheKind,
        28 when name.SequenceEqual("kv_cache_spec_sliding_window"u8) => KvField.SlidingWindow,
        _ => KvField.Unknown,
    };
}
