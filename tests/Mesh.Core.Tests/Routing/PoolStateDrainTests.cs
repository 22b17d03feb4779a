using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

public sealed class PoolStateDrainTests
{
    private static PoolConfig Drained(int endpoints, params int[] drained) => Drained(PoolFixture.Config(endpoints), drained);

    private static PoolConfig Drained(PoolConfig config, params int[] drained)
    {
        var backend = config.Backends[0];
        var ids = drained.Select(PoolFixture.Id).ToHashSet();
        return config with { Backends = [backend with { Endpoints = [.. backend.Endpoints.Select(e => e with { Drained = ids.Contains(e.Id) })] }] };
    }

    [Theory]
    [InlineData("least-load")]
    [InlineData("mesh")]
    public void Route_EndpointDrained_GetsNoRequestAndKeepsItsLease(string profile)
    {
        var config = PoolFixture.Config(2) with { Scheduling = new SchedulingConfig { Profile = profile } };
        var pool = new PoolFixture(config);
        var held = pool.RouteTo(0);

        pool.State.Reconfigure(Drained(config, 0));

        for (var i = 0; i < 5; i++) Assert.Equal(PoolFixture.Id(1), pool.Route().Endpoint);
        Assert.Equal(DecisionReason.NoReadyEndpoint, pool.RouteTo(0).Reason);
        var drained = pool.Endpoint(0);
        Assert.Equal((true, false, 1, EndpointHealth.Healthy), (drained.Drained, drained.Draining, drained.InFlightRequests, drained.Health));
        Assert.True(pool.Complete(held));
        Assert.Equal((true, 0), (pool.Endpoint(0).Drained, pool.Endpoint(0).InFlightRequests));
    }

    [Fact]
    public void Probe_OfADrainedEndpoint_IsTaken()
    {
        var pool = new PoolFixture(2);
        pool.State.Reconfigure(Drained(2, 0));

        pool.Probe(0, false);
        pool.Probe(0, false);

        Assert.Equal(EndpointHealth.Unhealthy, pool.Endpoint(0).Health);
        Assert.Equal(1, pool.State.Snapshot().Backends[0].HealthyEndpoints);
    }

    [Fact]
    public void Undrain_HealthyEndpoint_IsChosenAtOnceWithItsCounts()
    {
        var pool = new PoolFixture(2);
        pool.RouteTo(0);
        pool.RouteTo(1);
        pool.RouteTo(1);
        pool.State.Reconfigure(Drained(2, 0));

        pool.State.Reconfigure(PoolFixture.Config(2));

        Assert.Equal((false, 1), (pool.Endpoint(0).Drained, pool.Endpoint(0).InFlightRequests));
        Assert.Equal(PoolFixture.Id(0), pool.Route().Endpoint);
    }

    [Fact]
    public void Remove_DrainedEndpoint_IsForgottenWithItsLastLease()
    {
        var pool = new PoolFixture(2);
        var held = pool.RouteTo(0);
        pool.State.Reconfigure(Drained(2, 0));

        pool.State.Reconfigure(PoolFixture.Config([1]));
        Assert.Equal((true, false), (pool.Endpoint(0).Draining, pool.Endpoint(0).Drained));

        pool.Complete(held);
        Assert.DoesNotContain(pool.Endpoints(), e => e.Id == PoolFixture.Id(0));
    }

    [Fact]
    public void Target_OfABackend_CountsDrainedEndpointsNoMore()
    {
        var config = PoolFixture.Config(4);
        config = config with { Backends = [config.Backends[0] with { Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10 } }] };
        var pool = new PoolFixture(config);
        Assert.Equal(40, pool.State.Snapshot().Backends[0].TargetInFlight);

        pool.State.Reconfigure(Drained(config, 0, 1, 2));
        Assert.Equal((10.0, 1), (pool.State.Snapshot().Backends[0].TargetInFlight!.Value, pool.State.Snapshot().Backends[0].HealthyEndpoints));

        pool.State.Reconfigure(Drained(config, 0, 1, 2, 3));
        var backend = pool.State.Snapshot().Backends[0];
        Assert.Equal((0.0, null), (backend.TargetInFlight!.Value, backend.Fullness));
        Assert.Equal((RouteKind.Refuse, DecisionReason.NoReadyEndpoint), (pool.Route().Kind, pool.Route().Reason));
    }

    [Fact]
    public void Waiting_ForADrainedEndpoint_IsPlacedElsewhere()
    {
        var config = PoolFixture.Config(2) with { Scheduling = new SchedulingConfig { Profile = "mesh" } };
        var pool = new PoolFixture(config);
        var waiting = 0;
        for (var i = 0; i < 40 && pool.Endpoint(0).WaitingRequests == 0; i++)
        {
            if (pool.Route(pool.Request(prompt: 20_000)).Kind == RouteKind.Wait) waiting++;
        }

        Assert.True(waiting > 0 && pool.Endpoint(0).WaitingRequests > 0);

        pool.State.Reconfigure(Drained(config, 0));

        Assert.Equal(0, pool.Endpoint(0).WaitingRequests);
        while (pool.State.TryTakeDecided(out _, out var decision)) Assert.Equal(PoolFixture.Id(1), decision.Endpoint);
    }

    [Fact]
    public void Explain_DrainedEndpoint_HasItsOwnReason()
    {
        var pool = new PoolFixture(3);
        pool.State.Reconfigure(Drained(3, 1));

        pool.Route(pool.Request() with { Explain = true });

        var decision = Assert.Single(pool.State.Decisions());
        Assert.Equal(new RemovedEndpoint(PoolFixture.Id(1), "drained"), Assert.Single(decision.Removed));
        Assert.Equal(new RemovalCount("drained", 1), Assert.Single(decision.RemovedBy));
        Assert.Equal(2, decision.CandidateCount);
    }
}
