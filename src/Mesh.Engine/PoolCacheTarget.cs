using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Engine.KvEvents.Feeding;

namespace Mesh.Engine;

/// <summary>
/// What a pool learns of its endpoints' caches. What a cache holds makes no room for anybody: those who wait need not be looked at. Thread-safe.
/// </summary>
internal sealed class PoolCacheTarget(LockedPool pool) : ICacheFeedTarget
{
    public long? AddFeed(EndpointId endpoint)
    {
        lock (pool.Gate) return pool.State.AddCacheFeed(endpoint);
    }

    public void RemoveFeed(long feed)
    {
        lock (pool.Gate) pool.State.RemoveCacheFeed(feed);
    }

    public bool FeedState(long feed, CacheKnowledge knowledge)
    {
        lock (pool.Gate) return pool.State.ApplyCacheState(feed, knowledge);
    }

    public void FeedStored(long feed, in StoredBlocks stored)
    {
        lock (pool.Gate) pool.State.ApplyCacheStored(feed, in stored);
    }

    public void FeedRemoved(long feed, ReadOnlySpan<ulong> hashes, CacheTier tier)
    {
        lock (pool.Gate) pool.State.ApplyCacheRemoved(feed, hashes, tier);
    }

    public void FeedCleared(long feed)
    {
        lock (pool.Gate) pool.State.ApplyCacheCleared(feed);
    }
}
