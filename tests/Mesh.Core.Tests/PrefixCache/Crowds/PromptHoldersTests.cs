using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Crowds;
using Mesh.Core.Randomness;

namespace Mesh.Core.Tests.PrefixCache.Crowds;

public sealed class PromptHoldersTests
{
    private static readonly PrefixLayout Layout = PrefixLayout.Uniform(64, 64);

    // Whatever was stored, forgotten, cut short or pushed out: found without a look at the crowd is what a look at everybody finds.
    [Theory]
    [InlineData(1, 512, 200_000, 1500)]
    [InlineData(2, 700, 200_000, 1500)]
    [InlineData(3, 700, 3_000, 1500)]
    [InlineData(4, 5_000, 200_000, 600)]
    [InlineData(5, 10_000, 60_000, 500)]
    public void Look_RandomLoad_FindsWhatMatchFinds(ulong seed, int endpoints, int maxBlocks, int steps)
    {
        var random = new Xoshiro256(seed);
        var index = new PrefixIndex(Layout, endpoints, maxBlocks);
        for (var e = 0; e < endpoints; e += 3) index.SetCapacity(e, 64 * (10 + random.NextInt32(60)));
        var found = new PromptHolders(endpoints);
        var held = new int[endpoints];
        var crowded = 0;
        for (var step = 0; step < steps; step++)
        {
            // A prompt comes to many endpoints at once, so that crowds come and go.
            var chain = Prompt(random);
            for (var i = random.NextInt32(60); i > 0; i--) Change(index, random, chain, endpoints);

            var probe = Prompt(random);
            index.Match(probe, held);
            index.Look(probe, found);
            for (var e = 0; e < endpoints; e++)
            {
                Assert.True(held[e] == found.Of(e), $"seed {seed}, step {step}, endpoint {e}: {found.Of(e)} instead of {held[e]}");
                Assert.Equal(found.Listed.Contains(e), found.IsListed(e));
            }

            for (var count = 8; count < 2 * endpoints; count *= 8)
            {
                for (var first = 0; first < endpoints; first += count)
                {
                    var most = found.MostOfCrowds(first, count);
                    for (var e = first; e < Math.Min(first + count, endpoints); e++) Assert.True(found.IsListed(e) || held[e] <= most, $"seed {seed}, step {step}, endpoint {e}");
                }
            }

            if (found.MostOfCrowds(0, 1 << 20) > 0) crowded++;
        }

        Assert.True(crowded > 10, $"{crowded} of {steps} prompts had a crowd");
    }

    [Fact]
    public void Look_BeginningThatAllHold_ListsThoseWhoHoldMore()
    {
        var index = new PrefixIndex(Layout, 1000, 100_000);
        var common = Chain(1, 8);
        for (var e = 0; e < 1000; e++) index.Store(e, Branch(common, 8, 20, (ulong)(e / 4)));

        var found = new PromptHolders(1000);
        index.Look(Branch(common, 8, 20, 7), found);

        Assert.Equal([28, 29, 30, 31], found.Listed.ToArray().Order());
        Assert.Equal((20, 8), (found.Of(28), found.Of(500)));
        Assert.Equal(8, found.MostOfCrowds(0, 8));
    }

    [Fact]
    public void Look_FewEndpoints_ListsAllHolders()
    {
        var index = new PrefixIndex(Layout, 100, 10_000);
        for (var e = 0; e < 90; e++) index.Store(e, Chain(1, 8));

        var found = new PromptHolders(100);
        index.Look(Chain(1, 8), found);

        Assert.Equal(90, found.Listed.Length);
        Assert.Equal(0, found.MostOfCrowds(0, 128));
    }

    [Fact]
    public void Look_MoreRunsThatManyHoldThanThereAreCrowds_FindsAll()
    {
        const int Endpoints = 600;
        var index = new PrefixIndex(Layout, Endpoints, 200_000);
        for (var run = 0; run < 400; run++)
        {
            for (var i = 0; i < 20 + (run % 40); i++) index.Store((run + i) % Endpoints, Chain((ulong)run + 1, 5));
        }

        var found = new PromptHolders(Endpoints);
        var held = new int[Endpoints];
        for (var run = 0; run < 400; run++)
        {
            index.Match(Chain((ulong)run + 1, 5), held);
            index.Look(Chain((ulong)run + 1, 5), found);
            for (var e = 0; e < Endpoints; e++) Assert.Equal(held[e], found.Of(e));
        }
    }

    [Fact]
    public void Look_Again_AllocatesNothing()
    {
        var index = new PrefixIndex(Layout, 1000, 100_000);
        for (var e = 0; e < 1000; e++) index.Store(e, Branch(Chain(1, 8), 8, 20, (ulong)(e / 4)));
        var found = new PromptHolders(1000);
        var prompts = Enumerable.Range(0, 250).Select(i => Branch(Chain(1, 8), 8, 20, (ulong)i)).ToArray();
        foreach (var prompt in prompts) index.Look(prompt, found);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var prompt in prompts) index.Look(prompt, found);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Change(PrefixIndex index, Xoshiro256 random, ulong[] chain, int endpoints)
    {
        // Half of the load goes to a few endpoints, so that crowds have members that lose what they had.
        var endpoint = random.NextInt32(random.NextInt32(2) == 0 ? 40 : endpoints);
        switch (random.NextInt32(12))
        {
            case 0: index.Trim(endpoint, chain, random.NextInt32(chain.Length)); break;
            case 1: index.Clear(endpoint); break;
            case 2: index.Store(endpoint, chain.AsSpan(0, 1 + random.NextInt32(chain.Length))); break;
            default: index.Store(endpoint, chain); break;
        }
    }

    private static ulong[] Prompt(Xoshiro256 random)
    {
        var length = 6 + random.NextInt32(20);
        var chain = Chain((ulong)random.NextInt32(3) + 1, length);
        for (var cuts = random.NextInt32(4); cuts > 0; cuts--) chain = Branch(chain, 1 + random.NextInt32(chain.Length - 1), chain.Length, (ulong)random.NextInt32(4));
        return chain;
    }

    private static ulong[] Chain(ulong root, int blocks) => Branch([], 0, blocks, root);

    private static ulong[] Branch(ulong[] chain, int at, int length, ulong variant)
    {
        var branch = new ulong[length];
        var hash = 77UL;
        for (var i = 0; i < length; i++)
        {
            hash = i < at ? chain[i] : new Xoshiro256(hash ^ ((i == at ? variant + 1 : 0) * 0xD1B54A32D192ED03)).NextUInt64();
            branch[i] = hash;
        }

        return branch;
    }
}
