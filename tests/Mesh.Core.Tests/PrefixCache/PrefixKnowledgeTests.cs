using Mesh.Core.PrefixCache;
using Mesh.Core.Routing;
using Mesh.Testing;

namespace Mesh.Core.Tests.PrefixCache;

public sealed class PrefixKnowledgeTests
{
    private const long Capacity = 100_000;

    [Fact]
    public void Observe_PromptsHadBeenLost_LessIsBelievedToBeKept()
    {
        var knowledge = Create();
        var before = Held(knowledge);
        for (var i = 0; i < 40; i++) knowledge.Observe(0, 1000, 0);
        var after = Held(knowledge);

        Assert.InRange(after, before * 0.05, before * 0.2);
        Assert.Equal(before, Held(knowledge, slot: 1));
    }

    [Fact]
    public void Observe_PromptsWereThere_BeliefComesBackAndNeverExceedsTheCapacity()
    {
        var knowledge = Create();
        var before = Held(knowledge);
        for (var i = 0; i < 14; i++) knowledge.Observe(0, 1000, 100);
        Assert.True(Held(knowledge) < before * 0.55);
        for (var i = 0; i < 1000; i++) knowledge.Observe(0, 1000, 990);
        Assert.Equal(before, Held(knowledge));
    }

    [Fact]
    public void Observe_NothingWasBelieved_TeachesNothing()
    {
        var knowledge = Create();
        var before = Held(knowledge);
        for (var i = 0; i < 100; i++) knowledge.Observe(0, 0, 0);
        Assert.Equal(before, Held(knowledge));
    }

    [Fact]
    public void Forget_RestartedEndpoint_IsBelievedAnew()
    {
        var knowledge = Create();
        var before = Held(knowledge);
        for (var i = 0; i < 40; i++) knowledge.Observe(0, 1000, 0);
        knowledge.Forget(0);
        Assert.Equal(before, Held(knowledge));
    }

    private static PrefixKnowledge Create()
    {
        var options = new PoolStateOptions { PrefixLayout = PrefixLayout.Uniform(16, 64), MaxPrefixBlocks = 100_000 };
        var knowledge = new PrefixKnowledge(options, new PoolClock(new ManualTimeProvider(), options));
        knowledge.SetSlots(2);
        knowledge.Store(0, [1], Capacity);
        return knowledge;
    }

    // Of 1,000 different prompts sent there, those that are believed to be held.
    private static int Held(PrefixKnowledge knowledge, int slot = 0)
    {
        var chain = new ulong[20];
        for (var prompt = 0; prompt < 1000; prompt++) knowledge.Store(slot, ChainOf(prompt, slot, chain), Capacity);
        var held = 0;
        for (var prompt = 0; prompt < 1000; prompt++)
        {
            if (knowledge.Match(ChainOf(prompt, slot, chain))[slot] == chain.Length) held++;
        }
        return held;
    }

    private static ulong[] ChainOf(int prompt, int slot, ulong[] chain)
    {
        for (var i = 0; i < chain.Length; i++) chain[i] = (ulong)((slot * 1000 + prompt + 1) * 100 + i);
        return chain;
    }
}
