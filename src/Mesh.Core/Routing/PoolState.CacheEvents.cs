using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;

namespace Mesh.Core.Routing;

// What endpoints publish about their caches.
public sealed partial class PoolState
{
    /// <summary>
    /// Begins to take the cache events of an endpoint, one feed for each of its data-parallel ranks. Returns the feed's number, which is
    /// never given out again, or null when the endpoint is unknown. It begins as <see cref="CacheKnowledge.History"/>.
    /// </summary>
    public long? AddCacheFeed(EndpointId id) => _endpoints.TryFind(id, out var endpoint) ? _prefixes.AddFeed(endpoint.Slot) : null;

    /// <summary>Ends a feed; what it told is forgotten. Without effect when the feed has ended, with its endpoint for instance.</summary>
    public void RemoveCacheFeed(long feed) => _prefixes.Events?.Remove(feed);

    /// <summary>How far a feed can be relied upon now. True when that changes the endpoint's state, which is that of its least known feed.</summary>
    public bool ApplyCacheState(long feed, CacheKnowledge knowledge)
    {
        if (_prefixes.Events is not { } events || !events.SetState(feed, knowledge, out var slot)) return false;
        _endpoints.InSlot(slot).CacheKnowledgeChanges++;
        return true;
    }

    /// <summary>The endpoint has stored blocks. Feeds that have ended have no effect, here and below.</summary>
    public void ApplyCacheStored(long feed, in StoredBlocks stored) => _prefixes.OnStored(feed, in stored);

    /// <summary>
    /// A place of prompts is known to end in a block that the endpoint holds, as by the tokenizer of its model: what is otherwise learned from requests. Without effect
    /// when the block is not held.
    /// </summary>
    /// <param name="feed">The feed.</param>
    /// <param name="place">The hash of <see cref="RouteRequest.PrefixChain"/> for that place.</param>
    /// <param name="block">The endpoint's own hash.</param>
    public void ApplyCachePlace(long feed, ulong place, ulong block) => _prefixes.Events?.Map(feed, place, block);

    /// <summary>The endpoint has given blocks up in one tier.</summary>
    /// <param name="feed">The feed.</param>
    /// <param name="hashes">The endpoint's own hashes; unknown ones have no effect.</param>
    /// <param name="tier">Where they lay.</param>
    public void ApplyCacheRemoved(long feed, ReadOnlySpan<ulong> hashes, CacheTier tier) => _prefixes.Events?.Remove(feed, hashes, tier);

    /// <summary>The endpoint holds nothing any more, or what was told of it does not hold.</summary>
    public void ApplyCacheCleared(long feed) => _prefixes.Events?.Clear(feed);
}
