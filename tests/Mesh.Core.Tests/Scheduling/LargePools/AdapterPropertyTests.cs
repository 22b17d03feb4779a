using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Leases;
using Mesh.Core.Metrics;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;
using Mesh.Core.Scheduling.Cost.Adapters;

namespace Mesh.Core.Tests.Scheduling.LargePools;

/// <summary>Requests for LoRA adapters in large pools: costs and choices are those of a look at every endpoint.</summary>
public sealed class AdapterPropertyTests
{
    private const long MaxAge = 100;
    private readonly List<EndedLease> _leases = [];
    private long _now = 1000;

    [Theory]
    [InlineData(512, 61, 0.5, 4)]
    [InlineData(700, 62, 0.0, 12)]
    [InlineData(2_000, 63, 0.9, 30)]
    [InlineData(5_000, 64, 0.4, 8)]
    public void For_RandomLoad_CostsWhatALookAtAllSays(int endpoints, ulong seed, double busy, int adapters)
    {
        var random = new Xoshiro256(seed);
        var pool = new LargePool(endpoints);
        pool.ChangeAll(random, busy, queues: true, 1000);
        var (found, looked) = (new AdapterCost(pool.Endpoints), new AdapterCost(pool.Endpoints) { LooksAtAll = true });
        var kinds = new HashSet<float>();
        for (var step = 0; step < 120; step++)
        {
            Change(pool, random, busy, adapters);
            // One that nobody has among them.
            var context = Context(pool, LargePool.Request([], 100), random.NextInt32(20) == 0 ? "nobody's" : Name(random, adapters));
            var counts = random.NextInt32(4) > 0;
            found.For(in context, _now, counts);
            looked.For(in context, _now, counts);
            foreach (var endpoint in pool.Endpoints.Configured)
            {
                var (expected, actual) = (looked.Of(endpoint.Slot), found.Of(endpoint.Slot));
                Assert.True(expected == actual, $"seed {seed}, step {step}, slot {endpoint.Slot}: {actual} instead of {expected}");
                kinds.Add(expected);
                // Only those that are ready are in the tree.
                if (!endpoint.IsReady) continue;
                Assert.InRange(found.LeastIn(0, endpoint.Slot / 8), 0, actual);
                Assert.InRange(found.LeastIn(1, endpoint.Slot / 64), 0, actual);
            }
        }

        // In use, loaded at a price that varies, waited for, and full.
        Assert.Contains(0f, kinds);
        Assert.Contains(100f, kinds);
        Assert.Contains(250f, kinds);
        Assert.True(kinds.Count > 8, $"{kinds.Count} different costs");
    }

    [Theory]
    [InlineData(700, 71, 0.2)]
    [InlineData(3_000, 72, 0.8)]
    public void ChooseReady_RandomLoad_ChoosesAsIfItLookedAtAll(int endpoints, ulong seed, double busy)
    {
        var random = new Xoshiro256(seed);
        var pool = new LargePool(endpoints);
        pool.ChangeAll(random, busy, queues: false, 1000);
        var (searching, looking) = (pool.Chooser(looksAtAll: false), pool.Chooser(looksAtAll: true));
        for (var decision = 0; decision < 150; decision++)
        {
            Change(pool, random, busy, adapters: 6);
            var context = Context(pool, LargePool.Request([], 1 + random.NextInt32(4000)), Name(random, 6));
            var expected = looking.ChooseReady(in context, CandidateRows.All(LargePool.NoneExcluded), 20, _now)!.Value;
            var chosen = searching.ChooseReady(in context, CandidateRows.All(LargePool.NoneExcluded), 20, _now)!.Value;
            Assert.True(expected == chosen, $"seed {seed}, decision {decision}: {chosen} instead of {expected}");
        }

        Assert.True(searching.Search.LeavesLookedAt < looking.Search.LeavesLookedAt / 2, $"{searching.Search.LeavesLookedAt} of {looking.Search.LeavesLookedAt} leaves looked at");
    }

    [Fact]
    public void ChooseReady_ManyAdapters_AllocatesNothing()
    {
        var random = new Xoshiro256(81);
        var pool = new LargePool(1_000);
        pool.ChangeAll(random, 0.5, queues: false, 1000);
        for (var step = 0; step < 200; step++) Change(pool, random, 0.5, adapters: 10);
        var searching = pool.Chooser(looksAtAll: false);
        for (var i = 0; i < 100; i++) Turn(pool, searching, i);
        Assert.Equal(0, Allocations.Of(() =>
        {
            for (var i = 0; i < 100; i++) Turn(pool, searching, i);
        }));
    }

    private static readonly string[] Names = [.. Enumerable.Range(0, 10).Select(i => $"adapter-{i}")];

    private void Turn(LargePool pool, LeastCost searching, int number)
    {
        var request = LargePool.Request([], 500);
        var adapter = Names[number % Names.Length];
        var choice = searching.ChooseReady(Context(pool, in request, adapter), CandidateRows.All(LargePool.NoneExcluded), 20, _now)!.Value;
        var load = new LeaseLoad(500, 100) { Adapter = adapter };
        choice.Endpoint.Reserve(load);
        choice.Endpoint.Release(new EndedLease(choice.Endpoint, null, load, false, default));
    }

    private void Change(LargePool pool, Xoshiro256 random, double busy, int adapters)
    {
        _now += random.NextInt32(8);
        pool.ChangeSome(random, busy, queues: false, _now);
        for (var i = random.NextInt32(40); i > 0; i--)
        {
            var endpoint = pool.Endpoints.InSlot(random.NextInt32(pool.Count));
            switch (random.NextInt32(8))
            {
                case 0:
                    endpoint.Observe(random.NextInt32(3) > 0 ? EndpointHealth.Healthy : EndpointHealth.Unhealthy);
                    break;
                case 1 when _leases.Count > 0:
                    var at = random.NextInt32(_leases.Count);
                    _leases[at].Endpoint!.Release(_leases[at]);
                    _leases.RemoveAt(at);
                    break;
                case 2 or 3:
                    var load = new LeaseLoad(10, 10) { Adapter = Name(random, adapters) };
                    endpoint.Reserve(load);
                    _leases.Add(new EndedLease(endpoint, null, load, false, default));
                    break;
                default:
                    endpoint.Observe(new EndpointSample
                    {
                        Endpoint = endpoint.Id,
                        // Some are old already when they come.
                        Timestamp = _now - random.NextInt32(60),
                        MaxLoras = random.NextInt32(4) > 0 ? 1 + random.NextInt32(3) : null,
                        RunningAdapters = [.. Enumerable.Range(0, random.NextInt32(3)).Select(_ => Name(random, adapters))],
                        WaitingAdapters = [.. Enumerable.Range(0, random.NextInt32(2)).Select(_ => Name(random, adapters))],
                    });
                    break;
            }
        }
    }

    private SchedulingContext Context(LargePool pool, in RouteRequest request, string adapter) =>
        new(in request, null, pool.Endpoints, new SampleFreshness(_now, MaxAge), new Decay(0, 1)) { Costs = pool.Model, FitsEverywhere = true, Adapter = adapter };

    private static string Name(Xoshiro256 random, int adapters) => $"adapter-{random.NextInt32(adapters)}";
}
