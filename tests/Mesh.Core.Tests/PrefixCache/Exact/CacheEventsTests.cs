using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Routing;
using Mesh.Testing;

namespace Mesh.Core.Tests.PrefixCache.Exact;

/// <summary>A pool's knowledge with cache events: two endpoints with blocks of 16 tokens, gateway blocks of 64 tokens.</summary>
public sealed class CacheEventsTests
{
    private const int BlockTokens = 16;
    private readonly ManualTimeProvider _time = new();
    private readonly PrefixKnowledge _knowledge;
    private readonly long[] _feeds;
    private long _leases;

    public CacheEventsTests()
    {
        var options = new PoolStateOptions { PrefixLayout = PrefixLayout.Uniform(64, 64) };
        _knowledge = new PrefixKnowledge(options, new PoolClock(_time, options));
        _knowledge.SetSlots(2);
        _knowledge.Configure(new KvEventsConfig { OffloadWeight = 0.5 });
        _feeds = [_knowledge.AddFeed(0), _knowledge.AddFeed(1)];
        foreach (var feed in _feeds) _knowledge.Events!.SetState(feed, CacheKnowledge.Exact, out _);
    }

    private LearningCounts Counts => _knowledge.Events!.Counts;

    [Fact]
    public void Learn_RequestEnded_ItsPlacesAreHeldAsLongAsItsBlocks()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        PassBridge();
        Assert.Equal([5, 0], Match(prompt));
        Assert.Equal((1L, 0L, 0L), (Counts.Learned, Counts.Ambiguous, Counts.Unmatched));

        // The end goes first; a place is held until the block in which it ends goes.
        Remove(0, prompt, from: 19, blocks: 1);
        Assert.Equal([4, 0], Match(prompt));
        Remove(0, prompt, from: 16, blocks: 3);
        Assert.Equal([4, 0], Match(prompt));
        Remove(0, prompt, from: 15, blocks: 1);
        Assert.Equal([3, 0], Match(prompt));
    }

    [Fact]
    public void Match_OtherEndpointStoresTheSameTokens_IsKnownThereThoughItsHashesDiffer()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        PassBridge();

        Store(1, prompt, from: 0, blocks: 10);

        Assert.Equal([5, 2], Match(prompt));
    }

    [Fact]
    public void Match_ExactEndpointGaveBlocksUp_HistoryDoesNotClaimThem()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        PassBridge();
        Remove(0, prompt, from: 8, blocks: 12);
        Assert.Equal([2, 0], Match(prompt));

        // Degraded, history fills in; as history alone it is all there is.
        _knowledge.Events!.SetState(_feeds[0], CacheKnowledge.Degraded, out _);
        Assert.Equal([5, 0], Match(prompt));
        _knowledge.OnStored(_feeds[0], default);
        _knowledge.Events.Clear(_feeds[0]);
        _knowledge.Events.SetState(_feeds[0], CacheKnowledge.History, out _);
        Assert.Equal([5, 0], Match(prompt));
    }

    [Fact]
    public void Match_RoutedAMomentAgo_CountsUntilTheEventsHaveHadTime()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        PassBridge();
        Remove(0, prompt, from: 0, blocks: 22);
        Assert.Equal([0, 0], Match(prompt));

        Send(1, prompt);
        Assert.Equal([0, 5], Match(prompt));
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal([0, 5], Match(prompt));
        // Nothing was stored: it has failed, or was computed elsewhere.
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal([0, 0], Match(prompt));
    }

    [Fact]
    public void Match_RestIsNotMapped_HistoryCountsBehindWhatIsHeldOnly()
    {
        var prompt = Prompt(320, seed: 1);
        var longer = Prompt(640, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        Send(0, longer);
        PassBridge();
        Assert.Equal([10, 0], Match(longer));

        Remove(0, prompt, from: 12, blocks: 8);
        Assert.Equal([3, 0], Match(longer));
    }

    [Fact]
    public void Learn_TwoEndsOfTheSameLength_IsAmbiguousAndTeachesNothing()
    {
        var one = Prompt(320, seed: 1);
        var other = Prompt(320, seed: 2);
        var lease = Send(0, one);
        Store(0, one, 0, 22);
        Store(0, other, 0, 22);
        End(lease, 320, 40);
        PassBridge();
        _knowledge.OnStored(_feeds[1], default);
        _time.Advance(TimeSpan.FromSeconds(5));
        _knowledge.OnStored(_feeds[1], default);

        Assert.Equal((0L, 1L), (Counts.Learned, Counts.Ambiguous));
        Assert.Equal(0, _knowledge.Events!.Index.Mappings);
    }

    [Fact]
    public void Learn_TwoEndsOfTheSameLength_TheKnownBeginningDecides()
    {
        var first = Prompt(320, seed: 1);
        Serve(0, first, answerTokens: 40);
        var longer = Prompt(640, seed: 1);
        var lease = Send(0, longer);
        Store(0, Prompt(640, seed: 2), 0, 42);
        Store(0, longer, 20, 22);
        End(lease, 640, 40);

        Assert.Equal((2L, 0L), (Counts.Learned, Counts.Ambiguous));
        PassBridge();
        Assert.Equal([10, 0], Match(longer));
    }

    [Fact]
    public void Learn_LateEvents_AreWaitedFor()
    {
        var prompt = Prompt(320, seed: 1);
        var lease = Send(0, prompt);
        End(lease, 320, 40);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        Store(0, prompt, 0, 22);
        Assert.Equal(0, Counts.Learned);
        _time.Advance(TimeSpan.FromMilliseconds(300));
        _knowledge.OnStored(_feeds[1], default);
        Assert.Equal(1, Counts.Learned);
    }

    [Fact]
    public void Learn_EndGivenUpAtOnce_WhatIsLeftStillTellsThePrompt()
    {
        var prompt = Prompt(320, seed: 1);
        var lease = Send(0, prompt);
        Store(0, prompt, 0, 22);
        for (var block = 21; block >= 10; block--) Remove(0, prompt, block, 1);
        End(lease, 320, 40);
        PassBridge();
        Assert.Equal(1, Counts.Learned);
        // Ten blocks are left: two places of four blocks; the third is not mapped, and history may be right about it.
        Remove(0, prompt, 7, 3);
        Assert.Equal([1, 0], Match(prompt));
    }

    [Fact]
    public void Learn_PromptsPartBeforeAPlaceTheyShare_ThePlaceIsPutRight()
    {
        // In the gateway's terms both begin alike up to 192 tokens; in the endpoint's, 160 tokens long there, the first place was mapped too deep.
        var chain = Prompt(320, seed: 1).Chain;
        var one = new Text(chain, Tokens(seed: 1, shared: 160, length: 400));
        var two = new Text([.. chain[..3], 901, 902], Tokens(seed: 2, shared: 160, length: 400));
        Serve(0, one, answerTokens: 40, promptTokens: 320);
        var lease = Send(0, two);
        Store(0, two, from: 10, blocks: 12, parentOf: one);
        End(lease, 320, 40);

        Assert.Equal((1L, 1L, 0L), (Counts.Learned, Counts.Corrected, Counts.Contradicted));
        PassBridge();
        Remove(0, one, from: 10, blocks: 12);
        // What they share is still there, and so is all of the second.
        Assert.Equal([3, 0], Match(one));
        Assert.Equal([5, 0], Match(two));
    }

    [Fact]
    public void Clear_OneEndpoint_ForgetsItAloneAndWhatWasRoutedThere()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        Store(1, prompt, 0, 20);
        PassBridge();
        Assert.Equal([5, 5], Match(prompt));

        _knowledge.Events!.Clear(_feeds[0]);

        Assert.Equal([0, 5], Match(prompt));
        Assert.Equal(20, _knowledge.Events.Index.Blocks);
    }

    [Fact]
    public void Match_OffloadedBlocks_CountByTheirWeight()
    {
        var prompt = Prompt(320, seed: 1);
        Serve(0, prompt, answerTokens: 40);
        PassBridge();
        Store(0, prompt, 0, 20, CacheTier.Offload);
        Remove(0, prompt, 4, 16);

        // One place in the accelerator, four offloaded at half their worth.
        Assert.Equal([3, 0], Match(prompt));
    }

    [Fact]
    public void Store_UnknownParent_IsDroppedAndCounted()
    {
        Store(0, Prompt(320, seed: 1), from: 4, blocks: 3);

        Assert.Equal((0, 3L), (_knowledge.Events!.Index.Blocks, _knowledge.Events.Index.Dropped));
    }

    [Fact]
    public void PoolState_FeedsComeAndGo_TheSnapshotTells()
    {
        var fixture = new PoolFixture(2);
        var id = PoolFixture.Id(0);
        Assert.Null(fixture.State.AddCacheFeed(new EndpointId("10.9.9.9:1")));
        Assert.Null(fixture.State.Snapshot().CacheEvents);
        long[] ranks = [fixture.State.AddCacheFeed(id)!.Value, fixture.State.AddCacheFeed(id)!.Value];

        Assert.False(fixture.State.ApplyCacheState(ranks[0], CacheKnowledge.Exact));
        Assert.True(fixture.State.ApplyCacheState(ranks[1], CacheKnowledge.Exact));
        fixture.State.ApplyCacheStored(ranks[1], new StoredBlocks { Hashes = [1, 2], TokenIds = new int[32], BlockTokens = 16 });
        var endpoint = fixture.State.Snapshot().Backends[0].Endpoints[0];
        Assert.Equal((CacheKnowledge.Exact, 1L, 2), (endpoint.CacheKnowledge, endpoint.CacheKnowledgeChanges, endpoint.CachedBlocks));
        Assert.Equal(2, fixture.State.Snapshot().CacheEvents!.Blocks);

        fixture.State.ApplyCacheRemoved(ranks[1], [1, 77], CacheTier.Gpu);
        Assert.Equal(1, fixture.State.Snapshot().CacheEvents!.Blocks);
        fixture.State.RemoveCacheFeed(ranks[1]);
        fixture.State.ApplyCacheCleared(ranks[1]);
        Assert.Equal(0, fixture.State.Snapshot().CacheEvents!.Blocks);
        fixture.State.RemoveCacheFeed(ranks[0]);
        Assert.Equal(CacheKnowledge.History, fixture.State.Snapshot().Backends[0].Endpoints[0].CacheKnowledge);
    }

    private static int[] Tokens(int seed, int shared, int length) => [.. Enumerable.Range(0, length).Select(t => (t < shared ? 0 : seed * 100_000) + t)];

    private static Text Prompt(int tokens, int seed)
    {
        var ids = Enumerable.Range(0, tokens + 80).Select(t => (seed * 100_000) + t).ToArray();
        return new Text([.. Enumerable.Range(1, tokens / 64).Select(b => (ulong)((seed * 1_000_000) + b))], ids);
    }

    // Each endpoint has hashes of its own.
    private static ulong[] Hashes(int slot, Text text)
    {
        var hashes = new ulong[text.Tokens.Length / BlockTokens];
        var hash = (ulong)slot + 99;
        for (var i = 0; i < hashes.Length; i++) hashes[i] = hash = ExactHash.Of(hash, text.Tokens.AsSpan(i * BlockTokens, BlockTokens), 1);
        return hashes;
    }

    private int[] Match(Text text) => _knowledge.Match(text.Chain).ToArray();

    private LeaseId Send(int slot, Text text)
    {
        var lease = new LeaseId(1, ++_leases);
        _knowledge.OnSent(lease, slot, text.Chain, text.Chain.Length * 64);
        _knowledge.Store(slot, text.Chain, 1 << 20);
        return lease;
    }

    private void End(LeaseId lease, int promptTokens, int answerTokens)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success, promptTokens, 0, answerTokens);
        _knowledge.OnEnded(lease, in outcome);
    }

    private void Serve(int slot, Text text, int answerTokens, int? promptTokens = null)
    {
        var tokens = promptTokens ?? text.Chain.Length * 64;
        var lease = Send(slot, text);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        Store(slot, text, 0, (tokens + answerTokens - 1) / BlockTokens);
        _time.Advance(TimeSpan.FromMilliseconds(10));
        End(lease, tokens, answerTokens);
    }

    private void Store(int slot, Text text, int from, int blocks, CacheTier tier = CacheTier.Gpu, Text? parentOf = null)
    {
        var hashes = Hashes(slot, text);
        _knowledge.OnStored(_feeds[slot], new StoredBlocks
        {
            Hashes = hashes.AsSpan(from, blocks),
            Parent = from == 0 ? null : Hashes(slot, parentOf ?? text)[from - 1],
            TokenIds = text.Tokens.AsSpan(from * BlockTokens, blocks * BlockTokens),
            BlockTokens = BlockTokens,
            Tier = tier,
        });
    }

    private void Remove(int slot, Text text, int from, int blocks) =>
        _knowledge.Events!.Remove(_feeds[slot], Hashes(slot, text).AsSpan(from, blocks), CacheTier.Gpu);

    private void PassBridge() => _time.Advance(TimeSpan.FromSeconds(10));

    private sealed record Text(ulong[] Chain, int[] Tokens);
}
