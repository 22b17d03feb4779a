using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;
using Mesh.Core.Scheduling;

namespace Mesh.Core.Tests.Routing;

/// <summary>Decisions of requests that ask for it, and refusals.</summary>
public sealed class DecisionExplainTests
{
    [Fact]
    public void Route_Asked_IsNotedAndTheOthersAreNot()
    {
        var pool = new PoolFixture(3);
        pool.Route();
        pool.Route(pool.Request(model: "m") with { Explain = true, Priority = 4 });
        pool.Route();

        var explained = Assert.Single(pool.State.Decisions());

        Assert.Equal(("r1", "m", 4, 100, "least-load"), (explained.RequestId, explained.Model, explained.Priority, explained.PromptTokens, explained.Profile));
        Assert.Equal((3, RouteKind.Send, PoolFixture.PoolName), (explained.CandidateCount, explained.Kind, explained.Pool));
    }

    [Fact]
    public void Candidates_OfAScoringProfile_HaveTheScoresThatDecided()
    {
        var pool = new PoolFixture(2);
        pool.RouteTo(0);
        pool.Sample(1, kv: 0.25, waiting: 0);

        var sent = pool.Route(pool.Request() with { Explain = true });

        var candidates = pool.State.Decisions()[0].Candidates;
        Assert.Equal((sent.Endpoint, PoolFixture.Id(1), PoolFixture.Id(0)), (candidates[0].Endpoint, candidates[0].Endpoint, candidates[1].Endpoint));
        // 2 · requests + 1 · tokens + 1 · KV + 1 · queue; who tells nothing has the mean of the others.
        Assert.Equal([1, 1, 0.75, 1], candidates[0].Scores.Select(s => s.Score));
        Assert.Equal([2, 1, 1, 1], candidates[0].Scores.Select(s => s.Weight));
        Assert.Equal(4.75, candidates[0].Score);
        Assert.Equal([0.5, 1024d / (1024 + 150), 0.75, 1], candidates[1].Scores.Select(s => s.Score));
        Assert.Equal((1, 0.25, (double?)null), (candidates[1].InFlightRequests, candidates[0].KvUtilizationRatio, candidates[1].KvUtilizationRatio));
        Assert.True(candidates[1].PredictedTtftMs > candidates[0].PredictedTtftMs);
    }

    [Fact]
    public void Candidates_ChosenBeyondTheFirstFive_IsShownToo()
    {
        var config = PoolFixture.Config(12) with { Scheduling = new SchedulingConfig { Profile = ProfileNames.RoundRobin } };
        var pool = new PoolFixture(config);
        for (var i = 0; i < 12; i++)
        {
            var sent = pool.Route(pool.Request() with { Explain = true });
            var candidates = pool.State.Decisions("r" + i, 1)[0].Candidates;
            Assert.Contains(candidates, c => c.Endpoint == sent.Endpoint && c.Backend == sent.Backend);
            Assert.InRange(candidates.Length, 5, 6);
        }
    }

    [Fact]
    public void Removed_EachFilter_IsNamedInItsOrder()
    {
        var pool = new PoolFixture(6);
        for (var i = 0; i < 3; i++) pool.Probe(0, success: false);
        for (var i = 0; i < 3; i++) pool.Probe(0, success: false);
        pool.Models(1, "other");
        pool.Models(2, "m");

        pool.Route(pool.Request(model: "m", subset: [PoolFixture.Id(2), PoolFixture.Id(3), PoolFixture.Id(0)], excluded: [PoolFixture.Id(3)]) with { Explain = true });

        var explained = pool.State.Decisions()[0];
        Assert.Equal(
            [new RemovalCount("healthy", 1), new RemovalCount("serves-model", 1), new RemovalCount("subset", 2), new RemovalCount("not-excluded", 1)],
            explained.RemovedBy.ToArray());
        Assert.Equal(new[] { 0, 1, 4, 5, 3 }.Select(PoolFixture.Id), explained.Removed.Select(r => r.Endpoint));
        Assert.Equal((1, 1), (explained.CandidateCount, explained.FailedBefore));
    }

    [Fact]
    public void Removed_BackendScaledToZero_IsClosed()
    {
        var config = PoolFixture.Config(2);
        config = config with { Backends = [config.Backends[0] with { Settings = new BackendSettings { CapacityScaler = 0 } }] };
        var pool = new PoolFixture(config);

        Assert.Equal(RouteKind.Refuse, pool.Route(pool.Request() with { Explain = true }).Kind);

        var explained = pool.State.Decisions()[0];
        Assert.Equal([new RemovalCount(RemovedEndpoint.BackendClosed, 2)], explained.RemovedBy.ToArray());
        Assert.False(Assert.Single(explained.Backends).Open);
    }

    [Fact]
    public void Refusals_NobodyAsks_AreNotedUpToTheRate()
    {
        var pool = new PoolFixture(1, options: new PoolStateOptions { ExplainedRefusalsPerSecond = 3 });
        for (var i = 0; i < 10; i++) pool.Route(pool.Request(subset: []));
        Assert.Equal(["r2", "r1", "r0"], pool.State.Decisions().Select(d => d.RequestId));

        pool.Time.Advance(TimeSpan.FromSeconds(1));
        pool.Route(pool.Request(subset: []));

        Assert.Equal(("r10", DecisionReason.NoReadyEndpoint), (pool.State.Decisions()[0].RequestId, pool.State.Decisions()[0].Reason));
        var none = new PoolFixture(1);
        none.Route(none.Request(subset: []));
        Assert.Empty(none.State.Decisions());
    }

    [Fact]
    public void Refusals_NoEndpointsAtAll_IsExplainedToWhoAsks()
    {
        var pool = new PoolFixture(0);
        pool.Route(pool.Request() with { Explain = true });

        Assert.Equal((DecisionReason.NoEndpoints, 0), (pool.State.Decisions()[0].Reason, pool.State.Decisions()[0].CandidateCount));
    }

    [Fact]
    public void Refusals_AfterAWait_SayHowLongItWas_AskedOrNot()
    {
        var config = PoolFixture.Config(1);
        config = config with
        {
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue, MaxWait = TimeSpan.FromSeconds(2) },
            Backends = [config.Backends[0] with { Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 } }],
        };
        var pool = new PoolFixture(config, options: new PoolStateOptions { ExplainedRefusalsPerSecond = 5 });
        pool.Route();
        pool.Route(pool.Request() with { Explain = true });
        pool.Route();
        var waiting = pool.State.Decisions()[0];
        Assert.Equal((RouteKind.Wait, default(Core.Endpoints.EndpointId), 0), (waiting.Kind, waiting.WaitsFor, waiting.WaitingRequests));
        Assert.Equal(1, Assert.Single(waiting.Backends).Fullness);

        pool.Time.Advance(TimeSpan.FromSeconds(2));
        pool.State.Tick();
        while (pool.State.TryTakeDecided(out _, out _))
        {
        }

        var decisions = pool.State.Decisions();
        Assert.Equal(["r2", "r1"], decisions.Select(d => d.RequestId));
        Assert.All(decisions, d => Assert.Equal((RouteKind.Refuse, DecisionReason.QueueTimeout, TimeSpan.FromSeconds(2)), (d.Kind, d.Reason, d.Waited)));
    }

    [Fact]
    public void Waits_LateBinding_NameTheEndpointThatTheyWaitFor()
    {
        var pool = new PoolFixture(MeshWorld.Config(1));
        pool.Route(pool.Request(prompt: 8000) with { IsStreaming = true });

        Assert.Equal(RouteKind.Wait, pool.Route(pool.Request(prompt: 8000) with { IsStreaming = true, Explain = true }).Kind);

        var explained = pool.State.Decisions()[0];
        Assert.Equal((RouteKind.Wait, PoolFixture.Id(0)), (explained.Kind, explained.WaitsFor));
        Assert.True(explained.Candidates[0].WaitMs > 0);
    }

    [Fact]
    public void Ring_WaitThatGaveWay_IsNotCompletedInAnothersPlace()
    {
        var pool = new PoolFixture(MeshWorld.Config(1), options: new PoolStateOptions { ExplainedDecisions = 2 });
        var running = pool.Route(pool.Request(prompt: 8000) with { IsStreaming = true });
        pool.Route(pool.Request(prompt: 8000) with { IsStreaming = true, Explain = true });
        for (var i = 0; i < 2; i++) pool.Route(pool.Request(subset: []) with { Explain = true });

        pool.State.ReportFirstByte(running.Lease);
        while (pool.State.TryTakeDecided(out _, out _))
        {
        }

        Assert.All(pool.State.Decisions(), d => Assert.Equal((RouteKind.Refuse, DecisionReason.NoReadyEndpoint), (d.Kind, d.Reason)));
    }
}
