using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Simulation.Model;
using Mesh.Simulation.Traces;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// What one engine's cache holds, told to a pool at once and without loss: the best that cache events can do. A trace's blocks are known as the engine's own
/// are, so that every place of a prompt is told with the block in which it ends, as by a gateway that has the model's tokenizer.
/// </summary>
internal sealed class EngineCacheFeed : IKvBlockObserver
{
    private readonly PoolState _pool;
    private readonly long _feed;
    private readonly int _blockTokens;

    private EngineCacheFeed(PoolState pool, long feed, int blockTokens) => (_pool, _feed, _blockTokens) = (pool, feed, blockTokens);

    /// <summary>Lets an engine tell a pool of one of its endpoints.</summary>
    public static void Attach(VllmEngine engine, PoolState pool, EndpointId endpoint)
    {
        if (pool.AddCacheFeed(endpoint) is not { } feed) return;
        pool.ApplyCacheState(feed, CacheKnowledge.Exact);
        engine.Pool.Observer = new EngineCacheFeed(pool, feed, engine.Options.BlockSize);
    }

    public void OnStored(in VllmRequest request, int first, int count)
    {
        var hashes = request.BlockHashes.Span;
        _pool.ApplyCacheStored(_feed, new StoredBlocks { Hashes = hashes.Slice(first, count), Parent = first == 0 ? null : hashes[first - 1], BlockTokens = _blockTokens });
        var chain = ((WorldRequest)request.Tag!).KnownChain.Span;
        var perPlace = TraceRequest.BlockTokens / _blockTokens;
        for (var place = first / perPlace; place < chain.Length && (place + 1) * perPlace <= first + count; place++)
            _pool.ApplyCachePlace(_feed, chain[place], hashes[((place + 1) * perPlace) - 1]);
    }

    public void OnRemoved(ulong hash) => _pool.ApplyCacheRemoved(_feed, [hash], CacheTier.Gpu);

    public void OnCleared() => _pool.ApplyCacheCleared(_feed);
}
