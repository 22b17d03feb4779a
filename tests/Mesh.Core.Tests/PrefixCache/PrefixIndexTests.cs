using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;

namespace Mesh.Core.Tests.PrefixCache;

public class PrefixIndexTests
{
    private static readonly PrefixLayout Layout = PrefixLayout.Uniform(64, 128);

    [Fact]
    public void Match_NothingStored_IsZeroForAll()
    {
        var index = new PrefixIndex(Layout, 3, 1000);
        var held = new[] { 9, 9, 9 };

        Assert.Equal(0, index.Match(Chain(1, 10), held));
        Assert.Equal([0, 0, 0], held);
    }

    [Fact]
    public void Match_PromptsThatPartInTheMiddle_GivesEachItsCommonPart()
    {
        var index = new PrefixIndex(Layout, 3, 1000);
        index.Store(0, Branch(Chain(1, 20), 12, 7));
        index.Store(1, Chain(1, 20));
        index.Store(2, Chain(1, 5));

        Assert.Equal([12, 20, 5], Match(index, Chain(1, 20), 3));
        Assert.Equal([20, 12, 5], Match(index, Branch(Chain(1, 20), 12, 7), 3));
        Assert.Equal([8, 8, 5], Match(index, Chain(1, 8), 3));
    }

    [Fact]
    public void Store_BeyondCapacity_ForgetsTheOldestPromptFromItsEnd()
    {
        var index = new PrefixIndex(Layout, 1, 1000);
        index.SetCapacity(0, 64 * 20);
        index.Store(0, Chain(1, 10));
        index.Store(0, Chain(2, 8));

        index.Store(0, Chain(3, 6));

        Assert.Equal(64 * 20, index.TokensHeld(0));
        Assert.Equal([6], Match(index, Chain(1, 10), 1));
        Assert.Equal([8], Match(index, Chain(2, 8), 1));
        Assert.Equal([6], Match(index, Chain(3, 6), 1));
    }

    [Fact]
    public void Store_UsedAgain_IsNotTheOldestAnyMore()
    {
        var index = new PrefixIndex(Layout, 1, 1000);
        index.SetCapacity(0, 64 * 20);
        index.Store(0, Chain(1, 10));
        index.Store(0, Chain(2, 10));
        index.Store(0, Chain(1, 10));

        index.Store(0, Chain(3, 10));

        Assert.Equal([10], Match(index, Chain(1, 10), 1));
        Assert.Equal([0], Match(index, Chain(2, 10), 1));
    }

    [Fact]
    public void Clear_OneEndpoint_LeavesTheOthers()
    {
        var index = new PrefixIndex(Layout, 2, 1000);
        index.Store(0, Chain(1, 10));
        index.Store(1, Branch(Chain(1, 10), 4, 3));

        index.Clear(0);

        Assert.Equal([0, 4], Match(index, Chain(1, 10), 2));
        Assert.Equal(0, index.TokensHeld(0));
        index.Clear(1);
        Assert.Equal(0, index.Blocks);
    }

    [Fact]
    public void Trim_EvidenceOfLess_KeepsOnlyThat()
    {
        var index = new PrefixIndex(Layout, 2, 1000);
        index.Store(0, Chain(1, 10));
        index.Store(0, Branch(Chain(1, 10), 6, 2));
        index.Store(1, Chain(1, 10));

        index.Trim(0, Chain(1, 10), 3);

        Assert.Equal([3, 10], Match(index, Chain(1, 10), 2));
        Assert.Equal([3, 6], Match(index, Branch(Chain(1, 10), 6, 2), 2));
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public void RandomStores_AgainstPlainSets_AgreeOnEveryMatch(ulong seed)
    {
        const int Endpoints = 7;
        var random = new Xoshiro256(seed);
        var index = new PrefixIndex(Layout, Endpoints, 1 << 18);
        var model = new HashSet<ulong>[Endpoints];
        for (var e = 0; e < Endpoints; e++) model[e] = [];

        for (var step = 0; step < 4000; step++)
        {
            var chain = RandomChain(random);
            var endpoint = random.NextInt32(Endpoints);
            if (random.NextInt32(200) == 0)
            {
                index.Clear(endpoint);
                model[endpoint].Clear();
            }
            index.Store(endpoint, chain);
            foreach (var hash in chain) model[endpoint].Add(hash);

            var probe = RandomChain(random);
            var held = Match(index, probe, Endpoints);
            for (var e = 0; e < Endpoints; e++)
            {
                var expected = probe.TakeWhile(model[e].Contains).Count();
                Assert.True(expected == held[e], $"seed {seed}, step {step}, endpoint {e}: {held[e]} instead of {expected}");
            }
        }
        for (var e = 0; e < Endpoints; e++)
        {
            Assert.Equal(model[e].Count * 64L, index.TokensHeld(e));
            index.Clear(e);
        }
        Assert.Equal(0, index.Blocks);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void RandomLoad_SmallMemoryAndCapacities_KeepsEveryBound(ulong seed)
    {
        const int Endpoints = 5;
        const int MaxBlocks = 2000;
        var random = new Xoshiro256(seed);
        var index = new PrefixIndex(Layout, Endpoints, MaxBlocks);
        var everStored = new HashSet<ulong>[Endpoints];
        for (var e = 0; e < Endpoints; e++)
        {
            everStored[e] = [];
            index.SetCapacity(e, 64 * (200 + 300 * e));
        }
        var bytes = index.Bytes;

        for (var step = 0; step < 20_000; step++)
        {
            var chain = RandomChain(random);
            var endpoint = random.NextInt32(Endpoints);
            switch (random.NextInt32(20))
            {
                case 0: index.Trim(endpoint, chain, random.NextInt32(chain.Length)); break;
                case 1 when random.NextInt32(20) == 0: index.Clear(endpoint); break;
                default:
                    index.Store(endpoint, chain);
                    foreach (var hash in chain) everStored[endpoint].Add(hash);
                    break;
            }

            Assert.True(index.Blocks <= MaxBlocks && index.Bytes == bytes, $"seed {seed}, step {step}: bound broken");
            var held = Match(index, chain, Endpoints);
            for (var e = 0; e < Endpoints; e++)
            {
                Assert.True(index.TokensHeld(e) is >= 0 && index.TokensHeld(e) <= 64 * (200 + 300 * e), $"seed {seed}, step {step}: capacity of {e}");
                Assert.True(held[e] <= chain.TakeWhile(everStored[e].Contains).Count(), $"seed {seed}, step {step}: claims what was never stored");
            }
        }
        for (var e = 0; e < Endpoints; e++)
        {
            index.Clear(e);
            Assert.Equal(0, index.TokensHeld(e));
        }
        Assert.Equal(0, index.Blocks);
    }

    [Fact]
    public void Store_UntilFull_CostsAtMost64BytesABlockAndNothingPerRequest()
    {
        const int Sessions = 8000;
        var index = new PrefixIndex(Layout, 100, (int)(Sessions * 100 * 1.3));
        var chains = new ulong[Sessions][];
        for (var i = 0; i < Sessions; i++) chains[i] = Branch(Chain(1, 100), 8, (ulong)i);
        foreach (var chain in chains[..100]) index.Store(0, chain);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Sessions; i++) index.Store(i % 100, chains[i]);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.Equal(8 + Sessions * 92, index.Blocks);
        Assert.InRange(index.Bytes / (double)index.Blocks, 1, 64);
        // Lists of free places grow a few times in the index's life, never per request; a collection that others cause counts as up to 8 KB.
        Assert.InRange(allocated, 0, 3 * 8192);
    }

    private static int[] Match(PrefixIndex index, ulong[] chain, int endpoints)
    {
        var held = new int[endpoints];
        var most = index.Match(chain, held);
        Assert.Equal(held.Max(), most);
        return held;
    }

    // A small world of prompts, so that random ones share prefixes of all lengths.
    private static ulong[] RandomChain(Xoshiro256 random)
    {
        var chain = Chain((ulong)random.NextInt32(4) + 1, 1 + random.NextInt32(40));
        for (var cuts = random.NextInt32(3); cuts > 0; cuts--) chain = Branch(chain, random.NextInt32(chain.Length), (ulong)random.NextInt32(3));
        return chain;
    }

    private static ulong[] Chain(ulong root, int blocks)
    {
        var chain = new ulong[blocks];
        var hash = root * 1_000_003;
        for (var i = 0; i < blocks; i++) chain[i] = hash = Mix(hash, 0);
        return chain;
    }

    /// <summary>The same blocks up to <paramref name="at"/>, others from there on.</summary>
    private static ulong[] Branch(ulong[] chain, int at, ulong variant)
    {
        var branch = chain.ToArray();
        var hash = at == 0 ? 77 : chain[at - 1];
        for (var i = at; i < chain.Length; i++) branch[i] = hash = Mix(hash, i == at ? variant + 1 : 0);
        return branch;
    }

    private static ulong Mix(ulong hash, ulong token) => new Xoshiro256(hash ^ (token * 0xD1B54A32D192ED03)).NextUInt64();
}
