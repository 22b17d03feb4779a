using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Routing;

public sealed class PoolStateReconfigureTests
{
    [Fact]
    public void Reconfigure_EndpointKept_KeepsCountsHealthSampleAndModels()
    {
        var pool = new PoolFixture(2);
        pool.RouteTo(0);
        pool.Sample(0, kv: 0.5);
        pool.Models(0, "llama");

        pool.State.Reconfigure(PoolFixture.Config([0, 2]));

        var kept = pool.Endpoint(0);
        Assert.Equal((1, EndpointHealth.Healthy, 0.5), (kept.InFlightRequests, kept.Health, kept.LastSample!.KvUtilizationRatio!.Value));
        Assert.Equal("llama", Assert.Single(kept.Models));
        Assert.Equal(EndpointHealth.Unknown, pool.Endpoint(2).Health);
        Assert.DoesNotContain(pool.Endpoints(), e => e.Id == PoolFixture.Id(1));
    }

    [Fact]
    public void Reconfigure_EndpointRemovedWithLease_DrainsUntilItIsCompleted()
    {
        var pool = new PoolFixture(2);
        var decision = pool.RouteTo(0);

        pool.State.Reconfigure(PoolFixture.Config([1]));

        Assert.True(pool.Endpoint(0).Draining);
        Assert.Equal(1, pool.State.Snapshot().Leases);
        for (var i = 0; i < 5; i++) Assert.Equal(PoolFixture.Id(1), pool.Route().Endpoint);
        Assert.Equal(DecisionReason.NoReadyEndpoint, pool.RouteTo(0).Reason);

        Assert.True(pool.Complete(decision));
        Assert.DoesNotContain(pool.Endpoints(), e => e.Id == PoolFixture.Id(0));
    }

    [Fact]
    public void Reconfigure_EndpointReturnsWhileDraining_IsChosenAgainWithItsCounts()
    {
        var pool = new PoolFixture(2);
        pool.RouteTo(0);
        pool.State.Reconfigure(PoolFixture.Config([1]));

        pool.State.Reconfigure(PoolFixture.Config(2));

        Assert.Equal((1, false), (pool.Endpoint(0).InFlightRequests, pool.Endpoint(0).Draining));
        Assert.Equal(PoolFixture.Id(1), pool.Route().Endpoint);
        Assert.Equal(RouteKind.Send, pool.RouteTo(0).Kind);
    }

    [Fact]
    public void Reconfigure_EveryEndpointRemoved_RefusesWithNoEndpointsAndKeepsTheLeases()
    {
        var pool = new PoolFixture(1);
        var decision = pool.Route();

        pool.State.Reconfigure(new PoolConfig { Id = PoolFixture.PoolName });

        Assert.Equal(DecisionReason.NoEndpoints, pool.Route().Reason);
        Assert.Equal(1, Assert.Single(pool.Endpoints()).InFlightRequests);
        Assert.True(pool.Complete(decision));
        Assert.Empty(pool.Endpoints());
    }

    [Fact]
    public void Reconfigure_EndpointMovesToAnotherBackend_KeepsItsLease()
    {
        var pool = new PoolFixture(1);
        var decision = pool.Route();
        var config = PoolFixture.Config(1);
        var moved = config with { Backends = [config.Backends[0] with { Id = new BackendId("gke-east", "us-east4-a", 8000), Region = "us-east4" }] };

        pool.State.Reconfigure(moved);

        var backend = Assert.Single(pool.State.Snapshot().Backends);
        Assert.Equal(("us-east4", 1), (backend.Region, backend.Endpoints[0].InFlightRequests));
        Assert.Equal("gke-east", pool.Route().Backend.Cluster);
        Assert.True(pool.Complete(decision));
    }

    [Fact]
    public void Reconfigure_AddressNamedTwice_CountsOnceInTheFirstBackend()
    {
        var config = PoolFixture.Config(1);
        var twice = config with { Backends = [config.Backends[0], config.Backends[0] with { Id = new BackendId("gke-east", "us-east4-a", 8000) }] };
        var pool = new PoolFixture(twice);

        Assert.Equal(("gke-east", DecisionReason.OnlyCandidate), (pool.Route().Backend.Cluster, pool.Route().Reason));
        Assert.Single(pool.Endpoints());
    }
}
