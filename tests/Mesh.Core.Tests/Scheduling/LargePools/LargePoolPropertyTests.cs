using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.PrefixCache;
using Mesh.Core.PrefixCache.Crowds;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling.LargePools;

/// <summary>Pools of every size with prefixes that all, many, few and none hold: the choice is that of an exhaustive scan.</summary>
public sealed class LargePoolPropertyTests
{
    private static readonly PrefixLayout Layout = PrefixLayout.Uniform(64, 128);
    private LargePool _pool = null!;
    private PromptHolders _holders = null!;
    private PrefixIndex _index = null!;
    private int[] _held = [];

    [Theory]
    [InlineData(100, 11, 0.5, 200)]
    [InlineData(511, 12, 0.5, 200)]
    [InlineData(512, 13, 0.0, 200)]
    [InlineData(600, 14, 0.9, 200)]
    [InlineData(2_000, 15, 0.5, 150)]
    [InlineData(4_097, 16, 1.0, 100)]
    [InlineData(10_000, 17, 0.0, 60)]
    [InlineData(10_000, 18, 0.7, 60)]
    [InlineData(10_000, 19, 1.0, 60)]
    public void ChooseReady_AnyPool_ChoosesAsIfItLookedAtAll(int endpoints, ulong seed, double busy, int decisions)
    {
        var random = new Xoshiro256(seed);
        Start(endpoints, random, busy, queues: true);
        var (searching, looking) = (_pool.Chooser(looksAtAll: false), _pool.Chooser(looksAtAll: true));
        var nowMs = 1000.0;
        for (var decision = 0; decision < decisions; decision++)
        {
            nowMs += random.NextDouble() * 20;
            var request = Next(random, busy, queues: true, nowMs);
            var bindAheadMs = decision % 2 == 0 ? double.PositiveInfinity : 20;
            var excluded = decision % 5 == 0 ? [false, true] : LargePool.NoneExcluded;
            var expected = looking.ChooseReady(Context(in request), CandidateRows.All(excluded), bindAheadMs, nowMs);
            var chosen = searching.ChooseReady(Context(in request), CandidateRows.All(excluded), bindAheadMs, nowMs);
            Assert.True(expected == chosen, $"seed {seed}, decision {decision}: {chosen} instead of {expected}");
        }

        if (endpoints < CostTable.LargeSlots) return;
        Assert.True(searching.Search.LeavesLookedAt < looking.Search.LeavesLookedAt / 3, $"{searching.Search.LeavesLookedAt} of {looking.Search.LeavesLookedAt} leaves looked at");
    }

    // What everybody holds comes from the index's own full answer here, and the cost from a look at each endpoint alone.
    [Theory]
    [InlineData(100, 21, 0.5)]
    [InlineData(700, 22, 0.2)]
    [InlineData(3_000, 23, 0.9)]
    [InlineData(10_000, 24, 0.6)]
    public void ChooseReady_AnyPoolNoQueues_ChoosesTheCheapestOfAll(int endpoints, ulong seed, double busy)
    {
        var random = new Xoshiro256(seed);
        Start(endpoints, random, busy, queues: false);
        var searching = _pool.Chooser(looksAtAll: false);
        var nowMs = 1000.0;
        for (var decision = 0; decision < 50; decision++)
        {
            nowMs += random.NextDouble() * 20;
            var request = Next(random, busy, queues: false, nowMs);
            _index.Match(request.PrefixChain.Span, _held);
            var dense = new SchedulingContext(in request, null, _pool.Endpoints, new SampleFreshness(0, 1), new Decay(0, 1)) { HeldBlocks = _held, Layout = Layout, Costs = _pool.Model, FitsEverywhere = true };
            var cheapest = searching.Explain(in dense, _pool.Endpoints.Configured, nowMs, 1)[0];
            var chosen = searching.ChooseReady(Context(in request), CandidateRows.All(LargePool.NoneExcluded), double.PositiveInfinity, nowMs)!.Value;
            Assert.Equal(cheapest.CostMs, chosen.CostMs, 5);
            Assert.False(chosen.IsOnly);
        }
    }

    // Under a policy a backend is chosen first: its endpoints may be anywhere among those of others, and have nothing to do with them.
    [Theory]
    [InlineData(1_100, 41, 0.5, 0, 550)]
    [InlineData(2_000, 42, 0.9, 700, 1_999)]
    [InlineData(10_000, 43, 0.6, 3_001, 7_005)]
    [InlineData(10_000, 44, 1.0, 9_900, 10_000)]
    public void ChooseReady_OneBackend_ChoosesAsIfItLookedAtAll(int endpoints, ulong seed, double busy, int from, int to)
    {
        var random = new Xoshiro256(seed);
        Start(endpoints, random, busy, queues: false);
        // Here and there an endpoint of the other backend among its own.
        foreach (var endpoint in _pool.Endpoints.Configured) endpoint.Place(endpoint.Slot >= from && endpoint.Slot < to && (endpoint.Slot == from || endpoint.Slot == to - 1 || random.NextInt32(9) > 0) ? 1 : 0, 0, 1);
        var (searching, looking) = (_pool.Chooser(looksAtAll: false), _pool.Chooser(looksAtAll: true));
        var own = _pool.Endpoints.Configured.ToArray().Where(e => e.BackendIndex == 1).OrderBy(e => e.Slot).ToArray();
        var nowMs = 1000.0;
        for (var decision = 0; decision < 60; decision++)
        {
            nowMs += random.NextDouble() * 20;
            var request = Next(random, busy, queues: false, nowMs);
            var among = CandidateRows.Of(1, [true, false], from..to);
            _index.Match(request.PrefixChain.Span, _held);
            var dense = new SchedulingContext(in request, null, _pool.Endpoints, new SampleFreshness(0, 1), new Decay(0, 1)) { HeldBlocks = _held, Layout = Layout, Costs = _pool.Model, FitsEverywhere = true };
            var cheapest = searching.Explain(in dense, own, nowMs, 1)[0];
            var expected = looking.ChooseReady(Context(in request), among, double.PositiveInfinity, nowMs)!.Value;
            var chosen = searching.ChooseReady(Context(in request), among, double.PositiveInfinity, nowMs)!.Value;
            Assert.Equal((expected.Endpoint.Slot, expected.CostMs), (chosen.Endpoint.Slot, chosen.CostMs));
            Assert.Equal(1, chosen.Endpoint.BackendIndex);
            Assert.Equal(cheapest.CostMs, chosen.CostMs, 5);
        }
    }

    [Fact]
    public void ChooseReady_LargePool_AllocatesNothing()
    {
        var random = new Xoshiro256(31);
        Start(2_000, random, 0.5, queues: true);
        var searching = _pool.Chooser(looksAtAll: false);
        var requests = Enumerable.Range(0, 200).Select(_ => LargePool.Request(Prompt(random), 4000)).ToArray();
        foreach (ref readonly var request in requests.AsSpan()) searching.ChooseReady(Context(in request), CandidateRows.All(LargePool.NoneExcluded), 20, 1000);
        Assert.Equal(0, Allocations.Of(() =>
        {
            foreach (ref readonly var request in requests.AsSpan())
            {
                _pool.Endpoints.Costs[random.NextInt32(2_000)].BusyUntilMs = 1000 + random.NextInt32(100);
                searching.ChooseReady(Context(in request), CandidateRows.All(LargePool.NoneExcluded), 20, 1000);
            }
        }));
    }

    private void Start(int endpoints, Xoshiro256 random, double busy, bool queues)
    {
        _pool = new LargePool(endpoints);
        _pool.ChangeAll(random, busy, queues, 1000);
        _held = new int[endpoints];
        _holders = new PromptHolders(endpoints);
        _index = new PrefixIndex(Layout, endpoints, 400_000);
        // A beginning that nearly all hold, one that a part of them does, and chats.
        for (var e = 0; e < endpoints; e++)
        {
            if (random.NextInt32(20) > 0) _index.Store(e, Prompt(random).AsSpan(0, 4 + random.NextInt32(40)));
        }
    }

    private RouteRequest Next(Xoshiro256 random, double busy, bool queues, double nowMs)
    {
        _pool.ChangeSome(random, busy, queues, nowMs);
        for (var i = random.NextInt32(4); i > 0; i--) _index.Store(random.NextInt32(_held.Length), Prompt(random));
        return LargePool.Request(random.NextInt32(6) == 0 ? [] : Prompt(random), 1 + random.NextInt32(random.NextInt32(3) == 0 ? 300 : 10_000));
    }

    private SchedulingContext Context(ref readonly RouteRequest request)
    {
        var isSparse = _held.Length >= CostTable.LargeSlots && !request.PrefixChain.IsEmpty;
        if (isSparse) _index.Look(request.PrefixChain.Span, _holders);
        else if (!request.PrefixChain.IsEmpty) _index.Match(request.PrefixChain.Span, _held);
        return new(in request, null, _pool.Endpoints, new SampleFreshness(0, 1), new Decay(0, 1))
        {
            Holders = isSparse ? _holders : null,
            HeldBlocks = isSparse || request.PrefixChain.IsEmpty ? default : _held,
            Layout = Layout,
            Costs = _pool.Model,
            FitsEverywhere = true,
        };
    }

    // 8 blocks that all prompts share, 12 that one in ten does, and 40 of one chat in a hundred.
    private static ulong[] Prompt(Xoshiro256 random)
    {
        var (group, chat) = ((ulong)random.NextInt32(10) + 1, (ulong)random.NextInt32(100) + 1);
        var chain = new ulong[60];
        var hash = 1UL;
        for (var i = 0; i < chain.Length; i++) chain[i] = hash = new Xoshiro256(hash + (i < 8 ? 0 : i < 20 ? group : group * 1000 + chat)).NextUInt64();
        return chain;
    }
}
