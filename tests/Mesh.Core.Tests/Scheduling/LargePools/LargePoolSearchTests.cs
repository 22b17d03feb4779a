using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling.LargePools;

public sealed class LargePoolSearchTests
{
    private const int Endpoints = 700;
    private readonly LargePool _pool = new(Endpoints);
    private readonly int[] _held = new int[Endpoints];

    // Whatever the state, ties included: what the search leaves out could not have been chosen.
    [Theory]
    [InlineData(1, 0.0)]
    [InlineData(2, 0.3)]
    [InlineData(3, 0.9)]
    [InlineData(4, 1.0)]
    public void ChooseReady_LargePool_ChoosesAsIfItLookedAtAll(ulong seed, double busy)
    {
        var random = new Xoshiro256(seed);
        var (searching, looking) = (_pool.Chooser(looksAtAll: false), _pool.Chooser(looksAtAll: true));
        var nowMs = 1000.0;
        foreach (var endpoint in _pool.Endpoints.Configured) Change(endpoint.Slot, random, busy, nowMs);
        for (var decision = 0; decision < 600; decision++)
        {
            nowMs += random.NextDouble() * 20;
            for (var i = random.NextInt32(8); i > 0; i--) Change(random.NextInt32(Endpoints), random, busy, nowMs);
            Hold(random);
            var request = Request(1 + random.NextInt32(decision % 3 == 0 ? 300 : 20_000));
            var bindAheadMs = decision % 2 == 0 ? double.PositiveInfinity : 20;
            var excluded = decision % 5 == 0 ? [false, true] : LargePool.NoneExcluded;
            Assert.Equal(Choose(looking, in request, excluded, bindAheadMs, nowMs), Choose(searching, in request, excluded, bindAheadMs, nowMs));
        }

        Assert.True(searching.Search.LeavesLookedAt < looking.Search.LeavesLookedAt, $"{searching.Search.LeavesLookedAt} of {looking.Search.LeavesLookedAt}");
    }

    [Fact]
    public void ChooseReady_LargePoolNoQueues_ChoosesTheCheapestOfAll()
    {
        var random = new Xoshiro256(5);
        var searching = _pool.Chooser(looksAtAll: false);
        var nowMs = 1000.0;
        foreach (var endpoint in _pool.Endpoints.Configured)
        {
            Change(endpoint.Slot, random, 0.7, nowMs);
            _pool.Endpoints.Costs[endpoint.Slot].QueuedMs = 0;
        }

        for (var decision = 0; decision < 200; decision++)
        {
            nowMs += 1;
            Hold(random);
            var request = Request(1 + random.NextInt32(10_000));
            var context = Context(in request);
            var cheapest = searching.Explain(in context, _pool.Endpoints.Configured, nowMs, 1)[0];
            var chosen = searching.ChooseReady(in context, CandidateRows.All(LargePool.NoneExcluded), double.PositiveInfinity, nowMs)!.Value;
            Assert.Equal(cheapest.CostMs, chosen.CostMs, 5);
            Assert.False(chosen.IsOnly);
        }
    }

    [Fact]
    public void ChooseReady_LargeIdlePool_SpreadsOverAllBlocks()
    {
        var searching = _pool.Chooser(looksAtAll: false);
        var request = Request(1000);
        var chosen = new int[Endpoints];
        for (var i = 0; i < 20 * Endpoints; i++) chosen[Choose(searching, in request, LargePool.NoneExcluded, 20, 1000)!.Value.Endpoint.Slot]++;
        Assert.All(chosen, c => Assert.InRange(c, 4, 60));
    }

    [Fact]
    public void ChooseReady_LargePoolNobodyReady_IsNull()
    {
        foreach (var endpoint in _pool.Endpoints.Configured) endpoint.Observe(EndpointHealth.Unhealthy);
        var request = Request(1000);
        Assert.Null(Choose(_pool.Chooser(looksAtAll: false), in request, LargePool.NoneExcluded, 20, 1000));
        _pool.Endpoints.InSlot(321).Observe(EndpointHealth.Healthy);
        var only = Choose(_pool.Chooser(looksAtAll: false), in request, LargePool.NoneExcluded, 20, 1000)!.Value;
        Assert.Equal((321, true), (only.Endpoint.Slot, only.IsOnly));
    }

    private CostChoice? Choose(LeastCost cost, in RouteRequest request, bool[] excluded, double bindAheadMs, double nowMs)
    {
        var context = Context(in request);
        return cost.ChooseReady(in context, CandidateRows.All(excluded), bindAheadMs, nowMs);
    }

    private SchedulingContext Context(in RouteRequest request) =>
        new(in request, null, _pool.Endpoints, new SampleFreshness(0, 1), new Decay(0, 1)) { HeldBlocks = _held, Costs = _pool.Model, FitsEverywhere = true };

    // A prompt's beginning that many have, and its rest, that few have.
    private void Hold(Xoshiro256 random)
    {
        var common = random.NextInt32(3) == 0 ? 0 : random.NextInt32(20);
        for (var i = 0; i < _held.Length; i++) _held[i] = random.NextInt32(5) > 0 ? common : 0;
        for (var i = random.NextInt32(6); i > 0; i--) _held[random.NextInt32(Endpoints)] = random.NextInt32(60);
    }

    private void Change(int slot, Xoshiro256 random, double busy, double nowMs)
    {
        _pool.Change(slot, random, busy, queues: true, nowMs);
        ref var row = ref _pool.Endpoints.Costs[slot];
        row.RoundTripMs = slot % 7 == 0 ? 5 : 0;
        row.Scale = slot % 11 == 0 ? 0.5f : 1;
    }

    private static RouteRequest Request(int promptTokens) => LargePool.Request([], promptTokens);
}
