using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>When a pool sends a request to a peer region, and to which.</summary>
public sealed class ForwardingTests
{
    private static readonly BackendSettings OneEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
    private static readonly FlowControlSettings Queue = new() { WhenFull = WhenFull.Queue };

    [Fact]
    public void Route_PeersWithoutAnOwnRegion_AreNone()
    {
        var pool = new PoolFixture(1);
        pool.State.SetPeers(["near"]);

        Assert.Empty(pool.State.Snapshot().Peers);
    }

    [Fact]
    public void Route_RoomAtHome_StaysAtHome()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part());

        Assert.Equal(RouteKind.Send, home.Route().Kind);
        Assert.Equal(RouteKind.Send, home.Route().Kind);
    }

    [Fact]
    public void Route_HomeAtTarget_GoesToTheNearestUpToItsCreditsThenToTheNext()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 2));
        home.Report("far", HomeRegion.Part(grant: 1));
        for (var i = 0; i < 2; i++) home.Route();

        var decisions = Enumerable.Range(0, 4).Select(_ => home.Route()).ToArray();

        Assert.Equal(["near", "near", "far", null], decisions.Select(d => d.Region));
        Assert.All(decisions[..3], d => Assert.Equal((RouteKind.Forward, DecisionReason.Overflow, 7L), (d.Kind, d.Reason, d.Lease.Epoch)));
        // Nobody has room left and no target is known: overfilled at home.
        Assert.Equal((RouteKind.Send, DecisionReason.Overfill), (decisions[3].Kind, decisions[3].Reason));
    }

    [Theory]
    [InlineData(301, true)]
    [InlineData(299, false)]
    public void Route_SilentPeer_GetsNothing(int silentMs, bool isSuspect)
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part());
        for (var i = 0; i < 2; i++) home.Route();
        home.Time.Advance(TimeSpan.FromMilliseconds(silentMs));

        Assert.Equal(isSuspect ? RouteKind.Wait : RouteKind.Forward, home.Route().Kind);
    }

    [Fact]
    public void PeerLost_GetsNothingUntilTheNextReport()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part());
        for (var i = 0; i < 2; i++) home.Route();
        home.State.PeerLost("near");
        Assert.Equal(RouteKind.Wait, home.Route().Kind);

        home.ReportOnce("near", HomeRegion.Part());

        Assert.True(home.State.TryTakeDecided(out _, out var late));
        Assert.Equal("near", late.Region);
    }

    [Fact]
    public void Route_AllAtTarget_GoesWhereLoadIsLeastForTheCapacity()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 0, target: 4, load: 4));
        for (var i = 0; i < 2; i++) home.Route();

        // One more is 3/2 at home and 5/4 there, then 6/4, which is no better than home by enough.
        Assert.Equal(("near", DecisionReason.Overfill), (home.Route() is var first ? first.Region : null, first.Reason));
        Assert.Equal(RouteKind.Send, home.Route().Kind);
    }

    [Fact]
    public void Route_PreferredElsewhere_ComesBeforeHome()
    {
        var home = new HomeRegion(OneEach);
        home.Report("far", HomeRegion.Part(grant: 1, preference: BackendPreference.Preferred));

        Assert.Equal("far", home.Route().Region);
        Assert.Equal(RouteKind.Send, home.Route().Kind);
    }

    [Fact]
    public void Route_ModelThatThePeerLacks_StaysAtHome()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part() with { Models = ["a", "c"] });
        for (var i = 0; i < 2; i++) home.Route();

        Assert.Equal(RouteKind.Wait, home.State.Route(HomeRegion.Request() with { Model = "b" }).Kind);
        Assert.Equal(RouteKind.Forward, home.State.Route(HomeRegion.Request() with { Model = "c" }).Kind);
    }

    [Fact]
    public void Route_NobodyAtHome_GoesToAPeerWhateverItsCredits()
    {
        var home = new HomeRegion(endpoints: 1);
        home.Report("near", HomeRegion.Part(grant: 0));
        home.State.ApplyHealth(home.Config.Backends[0].Endpoints[0].Id, Endpoints.EndpointHealth.Unhealthy);

        Assert.Equal("near", home.Route().Region);
        Assert.Equal(DecisionReason.NoReadyEndpoint, home.Route(1000, 0, "near", "far").Reason);
    }

    [Fact]
    public void Route_PoolWithoutOwnBackends_IsServedByPeers()
    {
        var home = new HomeRegion(endpoints: 1);
        home.State.Reconfigure(home.Config.ForRegion("elsewhere"));
        Assert.Equal(DecisionReason.NoReadyEndpoint, home.Route().Reason);

        home.Report("near", HomeRegion.Part());

        Assert.Equal("near", home.Route().Region);
    }

    [Fact]
    public void Explain_ShowsThePeersAndWhyNot()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 0));
        home.State.Route(HomeRegion.Request() with { Explain = true, ExcludedRegions = ["far"] });

        var decision = home.State.Decisions()[0];

        Assert.Equal([("far", "failed-before"), ("near", "no-credits")], decision.Regions.Select(r => (r.Region, r.Excluded!)));
        Assert.Equal(20, decision.Regions[1].RoundTripMs);
    }

    [Fact]
    public void ForRegion_KeepsOwnBackendsAndEveryPool()
    {
        var pool = PoolFixture.Config(2);
        var other = pool.Backends[0] with { Id = new BackendId("gke-east", "us-east1-a", 8000), Region = "us-east1" };
        var config = new MeshConfig { Version = 4, Pools = [pool with { Backends = [pool.Backends[0], other] }] };

        Assert.Equal(["europe-west3"], config.ForRegion("europe-west3").Pools[0].Backends.Select(b => b.Region));
        Assert.Empty(config.ForRegion("asia").Pools[0].Backends);
        Assert.Equal(4, config.ForRegion("asia").Version);
        Assert.Same(pool, pool.ForRegion("europe-west3"));
    }
}
