using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>When a pool sends a request to a peer region, to which, and what follows.</summary>
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

    [Fact]
    public void Route_FractionOfACredit_LetsOneRequestThrough()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 0.3));
        for (var i = 0; i < 2; i++) home.Route();

        Assert.Equal(RouteKind.Forward, home.Route(prompt: 100_000).Kind);
        Assert.Equal(RouteKind.Wait, home.Route().Kind);
    }

    [Fact]
    public void Route_UnusedCredits_LapseWithTheNextReport()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 5));
        home.ReportOnce("near", HomeRegion.Part(grant: 0));
        for (var i = 0; i < 2; i++) home.Route();

        Assert.Equal(RouteKind.Wait, home.Route().Kind);
    }

    [Fact]
    public void ApplyPeer_RequestsStillOnTheirWay_CountAgainstTheNewGrant()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 3));
        for (var i = 0; i < 2 + 3; i++) home.Route();

        home.ReportOnce("near", HomeRegion.Part(grant: 3) with { Received = 1 });

        Assert.Equal(1, home.Peer("near").Credits);
        Assert.Equal(RouteKind.Forward, home.Route().Kind);
        Assert.Equal(RouteKind.Wait, home.Route().Kind);
    }

    [Fact]
    public void ApplyPeer_RequestsThatNeverArrived_AreWrittenOffOnceNothingIsOnItsWay()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 3));
        for (var i = 0; i < 2; i++) home.Route();
        var lost = Enumerable.Range(0, 3).Select(_ => home.Route()).ToArray();
        foreach (var decision in lost) home.State.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Timeout));
        home.ReportOnce("near", HomeRegion.Part(grant: 3));
        Assert.Equal(0, home.Peer("near").Credits);

        home.Time.Advance(TimeSpan.FromMilliseconds(1001));
        home.ReportOnce("near", HomeRegion.Part(grant: 3));

        Assert.Equal(3, home.Peer("near").Credits);
    }

    [Fact]
    public void Complete_PeerRefused_ClosesItUntilItsNextReport()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 5));
        home.Report("far", HomeRegion.Part(grant: 5));
        for (var i = 0; i < 2; i++) home.Route();
        var refused = home.Route();

        Assert.True(home.State.Complete(refused.Lease, new RequestOutcome(OutcomeKind.PeerRefused)));

        Assert.Equal("far", home.Route(1000, 0, "near").Region);
        Assert.Equal("far", home.Route().Region);
        Assert.Equal((1L, 0), (home.Peer("near").Refused, home.Peer("near").InFlight));
        home.ReportOnce("near", HomeRegion.Part(grant: 5) with { Received = 1 });
        Assert.Equal("near", home.Route().Region);
    }

    [Fact]
    public void Complete_ForwardedRequest_GivesItsLeaseBackOnce()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 5));
        for (var i = 0; i < 2; i++) home.Route();
        var forwarded = home.Route();
        home.State.ReportFirstByte(forwarded.Lease);
        home.State.ReportFirstByte(forwarded.Lease);

        Assert.Equal((3, 1), (home.State.Snapshot().Leases, home.Peer("near").InFlight));
        Assert.True(home.State.Complete(forwarded.Lease, new RequestOutcome(OutcomeKind.Success), out var endpoint));
        Assert.Null(endpoint.Address);
        Assert.False(home.State.Complete(forwarded.Lease, new RequestOutcome(OutcomeKind.Success)));
        Assert.Equal((2, 0), (home.State.Snapshot().Leases, home.Peer("near").InFlight));
    }

    [Fact]
    public void Tick_SilentSession_GivesForwardedLeasesBack()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part(grant: 5));
        for (var i = 0; i < 3; i++) home.Route();

        home.Time.Advance(TimeSpan.FromSeconds(6));
        home.State.Tick();

        Assert.Equal((0, 0), (home.State.Snapshot().Leases, home.Peer("near").InFlight));
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
    public void ApplyPeer_RoomThere_WaitingRequestsGoHighestPriorityFirst()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 0));
        for (var i = 0; i < 2; i++) home.Route();
        var low = home.Route(priority: 0);
        var high = home.Route(priority: 5);

        home.ReportOnce("near", HomeRegion.Part(grant: 1));

        Assert.True(home.State.TryTakeDecided(out var ticket, out var decision));
        Assert.Equal((high.Ticket, RouteKind.Forward), (ticket, decision.Kind));
        Assert.False(home.State.TryTakeDecided(out _, out _));
        Assert.NotEqual(low.Ticket, ticket);
    }

    [Fact]
    public void Route_CameFromAPeer_IsNeverSentOn()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part());
        for (var i = 0; i < 2; i++) home.Route();

        var refused = home.State.Route(HomeRegion.Request() with { OriginRegion = "far", OriginEpoch = 3, Hops = 1 });
        var tooFar = home.State.Route(HomeRegion.Request() with { OriginRegion = "far", OriginEpoch = 3, Hops = 2 });

        Assert.Equal((RouteKind.Refuse, DecisionReason.PeerFull), (refused.Kind, refused.Reason));
        Assert.Equal((RouteKind.Refuse, DecisionReason.TooManyHops), (tooFar.Kind, tooFar.Reason));
        var report = home.State.BuildReport("far");
        Assert.Equal((3L, 2L), (report.ReceivedEpoch, report.Received));
    }

    [Fact]
    public void Route_CameFromAPeerForWantOfRoomAnywhere_IsOverfilled()
    {
        var home = new HomeRegion(OneEach);
        for (var i = 0; i < 2; i++) home.Route();

        var fits = home.State.Route(HomeRegion.Request() with { OriginRegion = "far", OriginEpoch = 3, Hops = 1, OriginReason = DecisionReason.Overflow });
        var overfilled = home.State.Route(HomeRegion.Request() with { OriginRegion = "far", OriginEpoch = 3, Hops = 1, OriginReason = DecisionReason.Overfill });

        Assert.Equal(RouteKind.Refuse, fits.Kind);
        Assert.Equal(RouteKind.Send, overfilled.Kind);
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
    public void Route_NoTargetAndBusyAtHome_GoesWhereItCostsLeast()
    {
        var home = new HomeRegion(endpoints: 1);
        home.Report("near", HomeRegion.Part(waitMs: 0));
        Assert.Equal(RouteKind.Send, home.Route(prompt: 20_000).Kind);

        var decision = home.Route(prompt: 2000);

        Assert.Equal((RouteKind.Forward, "near", DecisionReason.LeastCost), (decision.Kind, decision.Region, decision.Reason));
    }

    [Fact]
    public void Route_NoTargetAndAllRegionsAreFull_StaysAtHome()
    {
        var home = new HomeRegion(endpoints: 1);
        home.Report("near", HomeRegion.Part(grant: 0, waitMs: 0));
        home.Route(prompt: 20_000);

        Assert.NotEqual(RouteKind.Forward, home.Route(prompt: 2000).Kind);
    }

    [Fact]
    public void Route_OwnRequestsSinceTheReport_RaiseThePeersCost()
    {
        var home = new HomeRegion(endpoints: 1);
        home.Report("near", HomeRegion.Part(waitMs: 0));
        home.Route(prompt: 30_000);

        var kinds = Enumerable.Range(0, 60).Select(_ => home.Route(prompt: 8000).Kind).ToArray();

        // One burst, one report: the peer does not get it all.
        Assert.Contains(RouteKind.Forward, kinds);
        Assert.Contains(RouteKind.Wait, kinds);
    }

    [Fact]
    public void Route_PromptThatThePeerHolds_GoesThereSooner()
    {
        ulong[] chain = [.. Enumerable.Range(1, 40).Select(i => (ulong)i * 0x9E3779B97F4A7C15)];
        HotPrefix held = new((uint)chain[31], 32);
        var with = new HomeRegion(endpoints: 1);
        var without = new HomeRegion(endpoints: 1);
        with.Report("far", HomeRegion.Part() with { HotPrefixes = [held] });
        without.Report("far", HomeRegion.Part());
        var request = HomeRegion.Request(prompt: 2600) with { PrefixChain = chain, Explain = true };
        with.State.Route(in request);
        without.State.Route(in request);

        var (known, unknown) = (Far(with), Far(without));

        Assert.Equal((2048, 0), (known.CachedTokens, unknown.CachedTokens));
        Assert.True(known.CostMs < unknown.CostMs);

        static ExplainedRegion Far(HomeRegion home) => home.State.Decisions()[0].Regions.Single(r => r.Region == "far");
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
    public void SetPeers_PeerThatLeaves_ItsRequestsGoOn()
    {
        var home = new HomeRegion(OneEach);
        home.Report("near", HomeRegion.Part());
        for (var i = 0; i < 2; i++) home.Route();
        var forwarded = home.Route();

        home.State.SetPeers(["far"]);

        Assert.Equal("far", Assert.Single(home.State.Snapshot().Peers).Region);
        Assert.True(home.State.Complete(forwarded.Lease, new RequestOutcome(OutcomeKind.Success)));
        Assert.Equal(2, home.State.Snapshot().Leases);
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

    [Fact]
    public void RouteAndComplete_WithPeers_AllocateNothing()
    {
        var home = new HomeRegion(endpoints: 1);
        ulong[] chain = [.. Enumerable.Range(1, 40).Select(i => (ulong)i * 0x9E3779B97F4A7C15)];
        home.Report("near", HomeRegion.Part(grant: 1e9) with { Models = ["a", "m"], HotPrefixes = [new HotPrefix((uint)chain[7], 8)] });
        home.Report("far", HomeRegion.Part(grant: 1e9));
        var request = HomeRegion.Request(prompt: 20_000) with { PrefixChain = chain, Model = "m" };
        var forwarded = Run(home, in request, 2000);
        Assert.True(forwarded > 0);

        var before = GC.GetAllocatedBytesForCurrentThread();
        Run(home, in request, 2000);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static int Run(HomeRegion home, in RouteRequest request, int times)
    {
        var forwarded = 0;
        for (var i = 0; i < times; i++)
        {
            var first = home.State.Route(in request);
            var second = home.State.Route(in request);
            if (first.Kind == RouteKind.Forward || second.Kind == RouteKind.Forward) forwarded++;
            End(home, in first);
            End(home, in second);
        }

        return forwarded;
    }

    private static void End(HomeRegion home, in RouteDecision decision)
    {
        var outcome = new RequestOutcome(OutcomeKind.Success);
        if (decision.Kind == RouteKind.Wait) home.State.CancelWait(decision.Ticket);
        else home.State.Complete(decision.Lease, in outcome);
        while (home.State.TryTakeDecided(out _, out var late)) home.State.Complete(late.Lease, in outcome);
    }
}
