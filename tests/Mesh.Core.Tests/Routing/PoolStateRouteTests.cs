using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

public sealed class PoolStateRouteTests
{
    [Fact]
    public void Route_NoEndpointsConfigured_RefusesWithNoEndpoints()
    {
        var decision = new PoolFixture(0).Route();

        Assert.Equal(RouteDecision.Refuse(DecisionReason.NoEndpoints), decision);
    }

    [Fact]
    public void Route_NoVerdictYet_RefusesWithNoReadyEndpointAndTheProbeInterval()
    {
        var decision = new PoolFixture(3, healthy: false).Route();

        Assert.Equal(RouteDecision.Refuse(DecisionReason.NoReadyEndpoint, TimeSpan.FromSeconds(5)), decision);
    }

    [Fact]
    public void Route_OneReady_SendsThereAndReservesAtOnce()
    {
        var pool = new PoolFixture(2, healthy: false);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Healthy);

        var decision = pool.Route(pool.Request(prompt: 100, output: 50));

        Assert.Equal(RouteKind.Send, decision.Kind);
        Assert.Equal(DecisionReason.OnlyCandidate, decision.Reason);
        Assert.Equal(PoolFixture.Id(1), decision.Endpoint);
        Assert.Equal("gke-west/europe-west3-c:8000", decision.Backend.ToString());
        var endpoint = pool.Endpoint(1);
        Assert.Equal((1, 150L, 100L, 1L), (endpoint.InFlightRequests, endpoint.InFlightTokens, endpoint.InFlightPrefillTokens, endpoint.TotalRequests));
        Assert.Equal(1, pool.State.Snapshot().Leases);
    }

    [Fact]
    public void Route_BurstWithoutAnyScrape_SpreadsEvenly()
    {
        var pool = new PoolFixture(100);

        for (var i = 0; i < 1000; i++) Assert.Equal(DecisionReason.BestScore, pool.Route().Reason);

        Assert.All(pool.Endpoints(), e => Assert.Equal(10, e.InFlightRequests));
    }

    [Fact]
    public void Route_NoCap_ReservesTheAssumedOutput()
    {
        var pool = new PoolFixture(1, options: new PoolStateOptions { AssumedOutputTokens = 7 });

        pool.Route(pool.Request(prompt: 3, output: 0));

        Assert.Equal(10, pool.Endpoint(0).InFlightTokens);
    }

    [Fact]
    public void Route_AllListTheirModelsWithoutThisOne_RefusesWithUnknownModel()
    {
        var pool = new PoolFixture(2);
        pool.Models(0, "llama");
        pool.Models(1, "llama", "food-review");

        Assert.Equal(DecisionReason.UnknownModel, pool.Route(pool.Request(model: "mistral")).Reason);
        Assert.Equal(PoolFixture.Id(1), pool.Route(pool.Request(model: "food-review")).Endpoint);
    }

    [Fact]
    public void Route_OneHasNotToldItsModels_SendsThere()
    {
        var pool = new PoolFixture(2);
        pool.Models(0, "llama");

        var decision = pool.Route(pool.Request(model: "mistral"));

        Assert.Equal((PoolFixture.Id(1), DecisionReason.OnlyCandidate), (decision.Endpoint, decision.Reason));
    }

    [Fact]
    public void Route_OnlyAnUnreadyEndpointServesTheModel_RefusesWithUnknownModel()
    {
        var pool = new PoolFixture(2);
        pool.Models(0, "llama");
        pool.Models(1, "food-review");
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);

        Assert.Equal(DecisionReason.UnknownModel, pool.Route(pool.Request(model: "food-review")).Reason);
    }

    [Fact]
    public void Route_ModelOfNoEndpointAnyMore_IsForgotten()
    {
        var pool = new PoolFixture(1);
        pool.Models(0, "llama", "adapter");
        pool.Models(0, "llama");

        Assert.Equal(DecisionReason.UnknownModel, pool.Route(pool.Request(model: "adapter")).Reason);
        Assert.Equal("llama", Assert.Single(pool.Endpoint(0).Models));
    }

    [Fact]
    public void Route_Subset_StaysInside()
    {
        var pool = new PoolFixture(5);

        for (var i = 0; i < 20; i++)
        {
            var decision = pool.Route(pool.Request(subset: [PoolFixture.Id(3), PoolFixture.Id(1), new EndpointId("1.2.3.4:1"), default]));
            Assert.Contains(decision.Endpoint, new[] { PoolFixture.Id(1), PoolFixture.Id(3) });
        }

        Assert.Equal((10, 10), (pool.Endpoint(1).InFlightRequests, pool.Endpoint(3).InFlightRequests));
    }

    [Fact]
    public void Route_SubsetWithoutAnyEndpoint_RefusesWithNoReadyEndpoint()
    {
        var pool = new PoolFixture(2);

        Assert.Equal(DecisionReason.NoReadyEndpoint, pool.Route(pool.Request(subset: [])).Reason);
        Assert.Equal(DecisionReason.NoReadyEndpoint, pool.Route(pool.Request(subset: [PoolFixture.Id(7)])).Reason);
    }

    [Fact]
    public void Route_EveryEndpointHasFailedTheRequest_RefusesWithAllAttemptsFailed()
    {
        var pool = new PoolFixture(2);

        Assert.Equal(PoolFixture.Id(1), pool.Route(pool.Request(excluded: [PoolFixture.Id(0)])).Endpoint);
        Assert.Equal(DecisionReason.AllAttemptsFailed, pool.Route(pool.Request(excluded: [PoolFixture.Id(0), PoolFixture.Id(1)])).Reason);
    }

    [Fact]
    public void Route_IdlePool_BreaksTiesEvenly()
    {
        const ulong Seed = 42;
        var pool = new PoolFixture(8, Seed);
        var counts = new Dictionary<EndpointId, int>();

        for (var i = 0; i < 8000; i++)
        {
            var decision = pool.Route();
            counts[decision.Endpoint] = counts.GetValueOrDefault(decision.Endpoint) + 1;
            Assert.True(pool.Complete(decision));
        }

        // 1,000 each; five standard deviations are 148.
        Assert.Equal(8, counts.Count);
        Assert.All(counts.Values, n => Assert.True(n is > 852 and < 1148, $"seed {Seed}: {n}"));
    }

    [Fact]
    public void Route_EndpointThatFailsAtOnce_DoesNotLookIdle()
    {
        var pool = new PoolFixture(2);
        for (var i = 0; i < 10; i++) pool.RouteTo(1);

        var sentToTheFailing = 0;
        for (var i = 0; i < 100; i++)
        {
            var decision = pool.Route();
            if (decision.Endpoint != PoolFixture.Id(0)) continue;
            sentToTheFailing++;
            pool.Complete(decision, OutcomeKind.ConnectFailure);
        }

        // Each failure weighs as much as four requests, so it gets a fifth of what comes on top of the difference, not everything.
        Assert.InRange(sentToTheFailing, 1, 30);
    }

    [Fact]
    public void Route_FailuresLongAgo_AreForgotten()
    {
        var pool = new PoolFixture(2);
        pool.Complete(pool.RouteTo(0), OutcomeKind.ServerError);
        Assert.Equal(4, pool.Endpoint(0).FailureLoadRequests);

        pool.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(2, pool.Endpoint(0).FailureLoadRequests);
        pool.Time.Advance(TimeSpan.FromSeconds(40));
        Assert.Equal(0, pool.Endpoint(0).FailureLoadRequests);
    }

    [Fact]
    public void Route_EndpointComesBackHealthy_StartsWithACleanSheet()
    {
        var pool = new PoolFixture(2);
        pool.Complete(pool.RouteTo(0), OutcomeKind.ConnectFailure);
        foreach (var success in new[] { false, false, true, true }) pool.Probe(0, success);

        Assert.Equal((EndpointHealth.Healthy, 0d), (pool.Endpoint(0).Health, pool.Endpoint(0).FailureLoadRequests));
    }

    [Theory]
    [InlineData(OutcomeKind.Success, 0)]
    [InlineData(OutcomeKind.ClientGone, 0)]
    [InlineData(OutcomeKind.NotSent, 0)]
    [InlineData(OutcomeKind.ConnectFailure, 4)]
    [InlineData(OutcomeKind.ServerError, 4)]
    [InlineData(OutcomeKind.Timeout, 4)]
    [InlineData(OutcomeKind.StreamBroken, 4)]
    [InlineData(OutcomeKind.EndpointFull, 4)]
    public void Complete_Outcome_CountsAsLoadWhenTheEndpointFailed(OutcomeKind kind, double load)
    {
        var pool = new PoolFixture(1);

        pool.Complete(pool.Route(), kind);

        Assert.Equal(load, pool.Endpoint(0).FailureLoadRequests);
        Assert.Equal(0, pool.Endpoint(0).InFlightRequests);
    }

    [Fact]
    public void Route_HighKvUtilization_LosesAmongEquals()
    {
        var pool = new PoolFixture(2);
        pool.Sample(0, kv: 0.9);
        pool.Sample(1, kv: 0.1);

        Assert.Equal(PoolFixture.Id(1), pool.Route().Endpoint);
    }

    [Fact]
    public void Route_StaleSample_IsUnknownAndNotItsOldValue()
    {
        var pool = new PoolFixture(2);
        pool.Sample(0, kv: 1, waiting: 50);
        pool.Sample(1, kv: 0, waiting: 0);
        pool.Time.Advance(TimeSpan.FromMilliseconds(1001));

        var first = 0;
        for (var i = 0; i < 100; i++)
        {
            var decision = pool.Route();
            if (decision.Endpoint == PoolFixture.Id(0)) first++;
            pool.Complete(decision);
        }

        Assert.InRange(first, 25, 75);
    }

    [Fact]
    public void Apply_OlderSample_IsIgnored()
    {
        var pool = new PoolFixture(1);
        pool.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(pool.Sample(0, kv: 0.5));

        var older = new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = pool.Time.GetTimestamp() - 1, KvUtilizationRatio = 0.1 };

        Assert.False(pool.State.Apply(older));
        Assert.Equal(0.5, pool.Endpoint(0).LastSample!.KvUtilizationRatio);
        Assert.Equal(TimeSpan.Zero, pool.Endpoint(0).SampleAge);
    }

    [Fact]
    public void Route_TableOfLeasesFull_RefusesUntilOneEnds()
    {
        var pool = new PoolFixture(1, options: new PoolStateOptions { MaxLeases = 2 });
        var first = pool.Route();
        pool.Route();

        Assert.Equal(RouteDecision.Refuse(DecisionReason.TooManyLeases, TimeSpan.FromSeconds(1)), pool.Route());
        pool.Complete(first);
        Assert.Equal(RouteKind.Send, pool.Route().Kind);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(1, (1 << 24) + 1)]
    public void Constructor_OptionOutOfRange_Throws(long epoch, int maxLeases)
    {
        var options = new PoolStateOptions { Epoch = epoch, MaxLeases = maxLeases };

        Assert.Throws<ArgumentOutOfRangeException>(() => new PoolFixture(1, options: options));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1000)]
    public void RouteAndComplete_SteadyState_AllocateNothing(int endpoints)
    {
        var pool = new PoolFixture(endpoints);
        pool.Models(0, "llama");
        var request = pool.Request(model: "llama", excluded: [PoolFixture.Id(2)]);
        var outcome = new RequestOutcome(OutcomeKind.Success);
        for (var i = 0; i < 100; i++) pool.State.Complete(pool.State.Route(in request).Lease, in outcome);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            var lease = pool.State.Route(in request).Lease;
            pool.State.ReportFirstByte(lease);
            pool.State.Complete(lease, in outcome);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
