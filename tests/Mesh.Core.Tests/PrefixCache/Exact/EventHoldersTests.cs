using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Exact;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Testing;

namespace Mesh.Core.Tests.PrefixCache.Exact;

/// <summary>Large pools that follow cache events: what is found without a look at every endpoint is what a look at each finds.</summary>
public sealed class EventHoldersTests
{
    private const int Blocks = 40;
    private static readonly PrefixLayout Layout = PrefixLayout.Uniform(64, Blocks);
    private readonly ManualTimeProvider _time = new();
    private readonly PrefixKnowledge _knowledge;
    private readonly Dictionary<long, int> _slots = [];
    private readonly List<long> _feeds = [];

    public EventHoldersTests()
    {
        var options = new PoolStateOptions { PrefixLayout = Layout, ExactPrefixes = new ExactPrefixOptions { MaxBlocks = 1 << 16, MaxMappings = 2048 } };
        _knowledge = new PrefixKnowledge(options, new PoolClock(_time, options));
    }

    // Endpoints with several ranks, some without events, in every state, in whatever order they come; tiers, and what was routed just now.
    [Theory]
    [InlineData(1, 512, 1, 1.0, false)]
    [InlineData(2, 700, 1, 0.9, true)]
    [InlineData(3, 900, 3, 0.8, true)]
    [InlineData(4, 3_000, 2, 1.0, false)]
    [InlineData(5, 5_000, 1, 0.3, true)]
    public void Find_RandomLoad_FindsWhatMatchFinds(ulong seed, int slots, int ranks, double followed, bool hasTiers)
    {
        var random = new Xoshiro256(seed);
        _knowledge.SetSlots(slots);
        _knowledge.Configure(new KvEventsConfig { Enabled = true, Ranks = ranks, OffloadWeight = 0.6 });
        Follow(random, slots, ranks, followed);
        var deep = 0;
        for (var step = 0; step < 150; step++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(random.NextInt32(100)));
            // A prompt that comes to many, so that crowds come and go, and one that comes to a few.
            var crowd = Prompt(random);
            for (var i = random.NextInt32(80); i > 0; i--) Change(random, crowd, slots, hasTiers);
            for (var i = random.NextInt32(4); i > 0; i--) Change(random, Prompt(random), slots, hasTiers);

            var probe = Prompt(random).AsSpan(0, 1 + random.NextInt32(Blocks));
            var held = _knowledge.Match(probe).ToArray();
            var found = _knowledge.Find(probe);
            Assert.NotNull(found);
            for (var slot = 0; slot < slots; slot++)
            {
                Assert.True(held[slot] == found.Of(slot), $"seed {seed}, step {step}, slot {slot}: {found.Of(slot)} instead of {held[slot]}");
                Assert.Equal(found.Of(slot), found.OfCrowds(slot));
            }

            for (var count = 8; count < 2 * slots; count *= 8)
            {
                for (var first = 0; first < slots; first += count)
                {
                    var most = found.MostOfCrowds(first, count);
                    Assert.True(held.AsSpan(first, Math.Min(count, slots - first)).ToArray().Max() <= most, $"seed {seed}, step {step}, slots from {first}: at most {most}");
                }
            }

            var one = random.NextInt32(slots);
            Assert.Equal(held[one], _knowledge.HeldBy(one, probe));
            if (held.Max() > 4) deep++;
        }

        Assert.True(deep > 20, $"{deep} of 150 prompts were held");
    }

    [Fact]
    public void Find_RanksThatWereNotExpected_LeavesItToMatch()
    {
        _knowledge.SetSlots(600);
        Assert.Null(_knowledge.Find([1, 2, 3]));
        for (var slot = 0; slot < 600; slot++) _knowledge.AddFeed(slot);
        Assert.NotNull(_knowledge.Find([1, 2, 3]));
        var second = _knowledge.AddFeed(7);
        Assert.Null(_knowledge.Find([1, 2, 3]));
        _knowledge.Events!.Remove(second);
        Assert.NotNull(_knowledge.Find([1, 2, 3]));
    }

    [Fact]
    public void Find_LargePool_AllocatesNothing()
    {
        var random = new Xoshiro256(9);
        _knowledge.SetSlots(2_000);
        Follow(random, 2_000, 1, 1);
        var prompts = Enumerable.Range(0, 50).Select(_ => Prompt(random)).ToArray();
        foreach (var prompt in prompts)
        {
            for (var i = 0; i < 40; i++) Change(random, prompt, 2_000, hasTiers: false);
            _knowledge.Find(prompt);
        }

        foreach (var prompt in prompts) _knowledge.Find(prompt);
        Assert.Equal(0, Allocations.Of(() =>
        {
            foreach (var prompt in prompts) _knowledge.Find(prompt)!.MostOfCrowds(0, 512);
        }));
    }

    private void Follow(Xoshiro256 random, int slots, int ranks, double followed)
    {
        var order = Enumerable.Range(0, slots).OrderBy(_ => random.NextUInt64()).ToArray();
        foreach (var slot in order)
        {
            if (random.NextDouble() >= followed) continue;
            for (var rank = 0; rank < ranks; rank++)
            {
                var feed = _knowledge.AddFeed(slot);
                _feeds.Add(feed);
                _slots.Add(feed, slot);
                _knowledge.Events!.SetState(feed, random.NextInt32(12) == 0 ? CacheKnowledge.Degraded : CacheKnowledge.Exact, out _);
            }
        }
    }

    private void Change(Xoshiro256 random, ulong[] prompt, int slots, bool hasTiers)
    {
        var feed = _feeds[random.NextInt32(_feeds.Count)];
        var length = 1 + random.NextInt32(prompt.Length);
        switch (random.NextInt32(12))
        {
            case 0:
                _knowledge.Events!.Remove(feed, prompt.AsSpan(random.NextInt32(length)), CacheTier.Gpu);
                break;
            case 1:
                _knowledge.Events!.SetState(feed, (CacheKnowledge)random.NextInt32(3), out _);
                break;
            case 2:
                _knowledge.Store(random.NextInt32(slots), prompt.AsSpan(0, length), 1 << 20);
                break;
            case 3:
                _knowledge.OnSent(new LeaseId(1, random.NextInt32(1 << 20)), _slots[feed], prompt.AsSpan(0, length), 64 * length);
                break;
            case 4:
                if (random.NextInt32(20) == 0) _knowledge.Events!.Clear(feed);
                break;
            default:
                var tier = hasTiers && random.NextInt32(4) == 0 ? CacheTier.Offload : CacheTier.Gpu;
                _knowledge.OnStored(feed, new StoredBlocks { Hashes = prompt.AsSpan(0, length), BlockTokens = 64, Tier = tier });
                foreach (var place in prompt.AsSpan(0, length)) _knowledge.Events!.Map(feed, place, place);
                break;
        }
    }

    // 8 blocks that all prompts share, 12 that one in five does, and the rest of one chat in ten.
    private static ulong[] Prompt(Xoshiro256 random)
    {
        var (group, chat) = ((ulong)random.NextInt32(5) + 1, (ulong)random.NextInt32(10) + 1);
        var chain = new ulong[Blocks];
        var hash = 1UL;
        for (var i = 0; i < chain.Length; i++) chain[i] = hash = new Xoshiro256(hash + (i < 8 ? 0 : i < 20 ? group : group * 1000 + chat)).NextUInt64();
        return chain;
    }
}
