using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;

namespace Mesh.Engine.KvEvents.Feeding;

/// <summary>Who keeps what cache events tell. Called from any thread; the spans are valid during the call.</summary>
internal interface ICacheFeedTarget
{
    /// <summary>Begins a feed of an endpoint; null when the endpoint is unknown.</summary>
    long? AddFeed(EndpointId endpoint);

    void RemoveFeed(long feed);

    /// <summary>How far the feed can be relied upon; true when the endpoint's state changes with it.</summary>
    bool FeedState(long feed, CacheKnowledge knowledge);

    void FeedStored(long feed, in StoredBlocks stored);

    void FeedRemoved(long feed, ReadOnlySpan<ulong> hashes, CacheTier tier);

    void FeedCleared(long feed);
}
