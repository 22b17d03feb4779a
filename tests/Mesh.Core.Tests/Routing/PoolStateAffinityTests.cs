using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Core.Tests.FlowControl;

namespace Mesh.Core.Tests.Routing;

/// <summary>Sessions keep to their endpoint.</summary>
public sealed class PoolStateAffinityTests
{
    private const int Sessions = 4000;

    [Fact]
    public void Route_OneKey_StaysWithItsEndpointWhateverTheLoad()
    {
        var pool = new PoolFixture(8);
        var first = Route(pool, 7).Endpoint;
        for (var i = 0; i < 100; i++)
        {
            pool.Route();
            var decision = Route(pool, 7);
            Assert.Equal((first, DecisionReason.SessionAffinity), (decision.Endpoint, decision.Reason));
        }
    }

    [Fact]
    public void Route_ManyKeys_SpreadEvenly()
    {
        var pool = new PoolFixture(8);

        var counts = Map(pool).Values.GroupBy(e => e).Select(g => g.Count()).ToArray();

        // 500 each; five standard deviations are 105.
        Assert.Equal(8, counts.Length);
        Assert.All(counts, n => Assert.InRange(n, 395, 605));
    }

    [Fact]
    public void Reconfigure_EndpointAdded_OnlyItsShareOfTheKeysMoves()
    {
        var pool = new PoolFixture(8);
        var before = Map(pool);
        pool.State.Reconfigure(PoolFixture.Config(9));
        pool.State.ApplyHealth(PoolFixture.Id(8), EndpointHealth.Healthy);
        var after = Map(pool);

        var moved = before.Where(k => after[k.Key] != k.Value).ToArray();

        // A ninth, 444, and each to the new one.
        Assert.InRange(moved.Length, 340, 550);
        Assert.All(moved, k => Assert.Equal(PoolFixture.Id(8), after[k.Key]));
    }

    [Fact]
    public void Reconfigure_EndpointRemoved_OnlyItsKeysMove()
    {
        var pool = new PoolFixture(8);
        var before = Map(pool);
        pool.State.Reconfigure(PoolFixture.Config([0, 1, 2, 4, 5, 6, 7]));
        var after = Map(pool);

        Assert.All(before, k => Assert.True(k.Value == PoolFixture.Id(3) ? after[k.Key] != k.Value : after[k.Key] == k.Value));
    }

    [Fact]
    public void Route_ItsEndpointFails_GoesElsewhereAndComesBack()
    {
        var pool = new PoolFixture(4);
        var own = Route(pool, 3).Endpoint;
        pool.State.ApplyHealth(own, EndpointHealth.Unhealthy);
        var other = Route(pool, 3).Endpoint;
        Assert.NotEqual(own, other);
        Assert.Equal(other, Route(pool, 3).Endpoint);

        pool.State.ApplyHealth(own, EndpointHealth.Healthy);

        Assert.Equal(own, Route(pool, 3).Endpoint);
    }

    [Fact]
    public void Route_ItsBackendIsFull_IsPlacedAsAnyOther()
    {
        var pool = new PoolFixture(Regions(1));
        var near = Route(pool, 5);
        Assert.Equal(("near", DecisionReason.SessionAffinity), (near.Backend.Cluster, near.Reason));
        for (var i = 0; i < 3; i++) pool.Route();

        var decision = Route(pool, 5);

        Assert.Equal(("far", DecisionReason.Overflow), (decision.Backend.Cluster, decision.Reason));
        pool.Complete(near);
        Assert.Equal(near.Endpoint, Route(pool, 5).Endpoint);
    }

    [Fact]
    public void Route_EveryBackendFull_WaitsAsAnyOther()
    {
        var pool = new PoolFixture(Regions(1) with { FlowControl = FlowFixture.Queue });
        for (var i = 0; i < 8; i++) Assert.Equal(RouteKind.Send, pool.Route().Kind);

        Assert.Equal(RouteKind.Wait, Route(pool, 5).Kind);
    }

    [Fact]
    public void Route_NamedEndpoint_IsKeptPastItsTarget()
    {
        var pool = new PoolFixture(Regions(1) with { FlowControl = FlowFixture.Queue });
        var far = pool.State.Snapshot().Backends.Single(b => b.Id.Cluster == "far").Endpoints[0].Id;
        for (var i = 0; i < 6; i++)
        {
            var decision = pool.Route(pool.Request() with { AffinityEndpoint = far });
            Assert.Equal((far, DecisionReason.SessionAffinity), (decision.Endpoint, decision.Reason));
        }
    }

    [Fact]
    public void Route_NamedEndpointGone_IsPlacedAsAnyOther()
    {
        var pool = new PoolFixture(2);
        pool.State.ApplyHealth(PoolFixture.Id(1), EndpointHealth.Unhealthy);

        Assert.Equal(PoolFixture.Id(0), pool.Route(pool.Request() with { AffinityEndpoint = PoolFixture.Id(1) }).Endpoint);
        Assert.Equal(PoolFixture.Id(0), pool.Route(pool.Request() with { AffinityEndpoint = new EndpointId("10.9.9.9:1") }).Endpoint);
    }

    [Fact]
    public void Route_NamedEndpointWhileOthersWait_DoesNotPassThem()
    {
        var pool = new PoolFixture(FlowFixture.ConfigOf(1, FlowFixture.Queue));
        pool.Route();
        Assert.Equal(RouteKind.Wait, pool.Route().Kind);

        Assert.Equal(RouteKind.Wait, pool.Route(pool.Request() with { AffinityEndpoint = PoolFixture.Id(0) }).Kind);
        Assert.Equal(RouteKind.Send, pool.Route(pool.Request() with { AffinityEndpoint = PoolFixture.Id(0), Priority = 1 }).Kind);
    }

    private static PoolConfig Regions(int inFlight)
    {
        var plain = PoolFixture.Config(8);
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = inFlight };
        return plain with
        {
            Backends =
            [
                plain.Backends[0] with { Id = new BackendId("far", "a", 8000), Settings = settings, Endpoints = [.. plain.Backends[0].Endpoints.Skip(4)] },
                plain.Backends[0] with
                {
                    Id = new BackendId("near", "a", 8000),
                    Settings = settings with { Preference = BackendPreference.Preferred },
                    Endpoints = [.. plain.Backends[0].Endpoints.Take(4)],
                },
            ],
        };
    }

    private static RouteDecision Route(PoolFixture pool, ulong key) => pool.Route(pool.Request() with { AffinityKey = key });

    private static Dictionary<ulong, EndpointId> Map(PoolFixture pool)
    {
        var map = new Dictionary<ulong, EndpointId>();
        for (var key = 1UL; key <= Sessions; key++)
        {
            var decision = Route(pool, key);
            map.Add(key, decision.Endpoint);
            pool.Complete(decision);
        }
        return map;
    }
}
