using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.Metrics;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;
using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling.LargePools;

/// <summary>Requests that endpoints have failed: the choice is that of an exhaustive scan over the others.</summary>
public sealed class RetryPropertyTests
{
    [Theory]
    [InlineData(512, 51, 0.5)]
    [InlineData(700, 52, 0.0)]
    [InlineData(3_000, 53, 0.9)]
    [InlineData(10_000, 54, 0.4)]
    public void ChooseReady_EndpointsFailedIt_ChoosesAsIfItLookedAtTheOthers(int endpoints, ulong seed, double busy)
    {
        var random = new Xoshiro256(seed);
        var pool = new LargePool(endpoints);
        pool.ChangeAll(random, busy, queues: false, 1000);
        var (searching, looking) = (pool.Chooser(looksAtAll: false), pool.Chooser(looksAtAll: true));
        var nowMs = 1000.0;
        for (var request = 0; request < 30; request++)
        {
            nowMs += random.NextDouble() * 20;
            pool.ChangeSome(random, busy, queues: false, nowMs);
            var failed = new List<EndpointId>();
            var promptTokens = 1 + random.NextInt32(10_000);
            for (var attempt = 0; attempt < 6; attempt++)
            {
                var again = LargePool.Request([], promptTokens) with { Excluded = [.. failed] };
                var context = Context(pool, in again);
                var among = CandidateRows.All(LargePool.NoneExcluded).Without(pool.Endpoints, pool.Endpoints.Mark(again.Excluded));
                var others = Array.FindAll(pool.Endpoints.Configured.ToArray(), e => !failed.Contains(e.Id));
                var cheapestMs = searching.Explain(context, others, nowMs, 1)[0].CostMs;
                var expected = looking.ChooseReady(context, among, 20, nowMs)!.Value;
                var chosen = searching.ChooseReady(context, among, 20, nowMs)!.Value;
                Assert.True(expected == chosen, $"seed {seed}, request {request}, attempt {attempt}: {chosen} instead of {expected}");
                Assert.DoesNotContain(chosen.Endpoint.Id, failed);
                Assert.Equal(cheapestMs, chosen.CostMs, 5);
                failed.Add(chosen.Endpoint.Id);
            }
        }

        Assert.True(searching.Search.LeavesLookedAt < looking.Search.LeavesLookedAt / 3, $"{searching.Search.LeavesLookedAt} of {looking.Search.LeavesLookedAt} leaves looked at");
    }

    [Fact]
    public void ChooseReady_AllButOneFailedIt_ChoosesTheLast()
    {
        var pool = new LargePool(600);
        var request = LargePool.Request([], 100) with { Excluded = [.. Enumerable.Range(0, 600).Where(i => i != 77).Select(LargePool.IdOf)] };
        var among = CandidateRows.All(LargePool.NoneExcluded).Without(pool.Endpoints, pool.Endpoints.Mark(request.Excluded));
        var chosen = pool.Chooser(looksAtAll: false).ChooseReady(Context(pool, in request), among, 20, 1000)!.Value;
        Assert.Equal((LargePool.IdOf(77), true), (chosen.Endpoint.Id, chosen.IsOnly));

        chosen.Endpoint.Observe(EndpointHealth.Unhealthy);
        Assert.Null(pool.Chooser(looksAtAll: false).ChooseReady(Context(pool, in request), among, 20, 1000));
    }

    private static SchedulingContext Context(LargePool pool, ref readonly RouteRequest request) =>
        new(in request, null, pool.Endpoints, new SampleFreshness(0, 1), new Decay(0, 1)) { Costs = pool.Model, FitsEverywhere = true };
}
