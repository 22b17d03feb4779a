using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Engine.KvEvents.Events;
using Mesh.Engine.KvEvents.Subscription;
using Mesh.Engine.Telemetry;
using Mesh.Zmtp.MessagePack;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.KvEvents.Feeding;

/// <summary>Carries one subscription's events into the pool: one engine's blocks, in the pool's terms.</summary>
internal sealed class PoolFeed(ICacheFeedTarget target, PoolId pool, EndpointId endpoint, long feed, EngineMetrics metrics, ILogger logger) : IKvEventSink
{
    private ulong[] _blockSeeds = [];
    private int? _group;

    public void OnBlockStored(in KvBlockStored stored)
    {
        // A window that slides keeps the end of a prompt, not its beginning: such a group says nothing about prefixes.
        if (stored.SlidingWindowTokens is not null) return;
        _group ??= stored.GroupIndex;
        if (stored.GroupIndex != _group) return;
        var blocks = stored.BlockHashes.Length;
        target.FeedStored(feed, new StoredBlocks
        {
            Hashes = stored.BlockHashes,
            Parent = stored.ParentBlockHash,
            TokenIds = stored.TokenIds.Length == (long)blocks * stored.BlockSizeTokens ? stored.TokenIds : [],
            BlockTokens = stored.BlockSizeTokens,
            Seed = SeedOf(in stored),
            BlockSeeds = BlockSeeds(stored.ExtraKeys, blocks),
            Tier = TierOf(stored.Medium),
        });
    }

    public void OnBlockRemoved(in KvBlockRemoved removed)
    {
        if (removed.GroupIndex == _group) target.FeedRemoved(feed, removed.BlockHashes, TierOf(removed.Medium));
    }

    public void OnAllCleared() => target.FeedCleared(feed);

    public void OnReset(KvResetReason reason) => target.FeedCleared(feed);

    public void OnStateChanged(KvKnowledge knowledge, bool isComplete)
    {
        var state = knowledge switch
        {
            KvKnowledge.Exact when isComplete => CacheKnowledge.Exact,
            // All that is told holds, but what was stored before it began to be told may be there too.
            KvKnowledge.Exact or KvKnowledge.Degraded => CacheKnowledge.Degraded,
            _ => CacheKnowledge.History,
        };
        if (!target.FeedState(feed, state)) return;
        metrics.CacheKnowledgeChanged(state);
        EngineLog.CacheKnowledge(logger, endpoint, pool, state);
    }

    private static CacheTier TierOf(ReadOnlySpan<byte> medium) =>
        medium.IsEmpty || System.Text.Ascii.EqualsIgnoreCase(medium, "GPU"u8) ? CacheTier.Gpu : CacheTier.Offload;

    private static ulong SeedOf(in KvBlockStored stored)
    {
        if (!stored.LoraName.IsEmpty) return PromptHasher.SeedOf(stored.LoraName);
        return stored.LoraId is { } id ? PromptHasher.SeedOf(BitConverter.GetBytes(id)) : 0;
    }

    // One number for each block's keys, whatever they are: equal keys, equal numbers.
    private ReadOnlySpan<ulong> BlockSeeds(ReadOnlySpan<byte> extraKeys, int blocks)
    {
        if (extraKeys.IsEmpty) return [];
        var reader = new MessagePackReader(extraKeys);
        if (reader.Peek() != MessagePackToken.Array || !reader.TryReadArrayHeader(out var count) || count != blocks) return [];
        if (_blockSeeds.Length < blocks) _blockSeeds = new ulong[blocks * 2];
        for (var i = 0; i < blocks; i++)
        {
            var isNil = reader.Peek() == MessagePackToken.Nil;
            var start = reader.Position;
            if (!reader.TrySkip()) return [];
            _blockSeeds[i] = isNil ? 0 : PromptHasher.SeedOf(extraKeys[start..reader.Position]);
        }
        return _blockSeeds.AsSpan(0, blocks);
    }
}
