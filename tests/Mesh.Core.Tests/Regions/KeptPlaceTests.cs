using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>The place of a forwarded request that ends is its sender's again, and nobody else's at the same time.</summary>
public sealed class KeptPlaceTests
{
    private static readonly BackendSettings OneEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
    private static readonly BackendSettings FiveEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 5 };
    private static readonly FlowControlSettings Queue = new() { WhenFull = WhenFull.Queue };
    private static readonly RequestOutcome Success = new(OutcomeKind.Success);

    [Fact]
    public void Route_ForwardedRequestHasEnded_NextOneTakesItsPlaceBeforeAnyReport()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 1) with { Hosted = 0 });
        home.Report("far", HomeRegion.Part(grant: 5));
        for (var i = 0; i < 2; i++) home.Route();
        var first = home.Route();
        Assert.Equal(("near", "far"), (first.Region, home.Route().Region));

        home.State.Complete(first.Lease, Success);

        Assert.Equal(1, home.Peer("near").Credits);
        Assert.Equal("near", home.Route().Region);
        Assert.Equal("far", home.Route().Region);
    }

    [Fact]
    public void Complete_OneWaits_GoesWhereThePlaceIs()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 1) with { Hosted = 0 });
        home.Report("far", HomeRegion.Part(grant: 0));
        for (var i = 0; i < 2; i++) home.Route();
        var first = home.Route();
        var waiting = home.Route();
        Assert.Equal(RouteKind.Wait, waiting.Kind);

        home.State.Complete(first.Lease, Success);

        Assert.True(home.State.TryTakeDecided(out var ticket, out var decision));
        Assert.Equal((waiting.Ticket, "near"), (ticket, decision.Region));
    }

    [Fact]
    public void Route_PeerKeepsNoPlaces_WaitsForItsReport()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 1));
        for (var i = 0; i < 2; i++) home.Route();
        var first = home.Route();

        home.State.Complete(first.Lease, Success);

        Assert.Equal(RouteKind.Wait, home.Route().Kind);
    }

    [Fact]
    public void Complete_PeerRefused_KeepsNothingUntilItsNextReport()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        home.Report("near", HomeRegion.Part(grant: 2) with { Hosted = 0 });
        for (var i = 0; i < 2; i++) home.Route();
        var refused = home.Route();

        home.State.Complete(refused.Lease, new RequestOutcome(OutcomeKind.PeerRefused));

        Assert.Equal(0, home.Peer("near").Credits);
        Assert.Equal(RouteKind.Wait, home.Route().Kind);
    }

    [Fact]
    public void BuildReport_PlaceThatEndsAndIsKept_IsNotGrantedToAnother()
    {
        var home = new HomeRegion(FiveEach);
        Report(home, nearOverflow: 0, farOverflow: 50);
        var hosted = Enumerable.Range(0, 10).Select(_ => Receive(home, "far")).ToArray();
        Report(home, nearOverflow: 0, farOverflow: 50);
        var told = home.State.BuildReport("far");
        Assert.Equal((10, 0.0, (int?)10), (home.Peer("far").Hosted, told.Tiers[0].Grant, told.Hosted));

        // It may have begun to fill the three places by the time that the next report is made, whoever overflows meanwhile.
        for (var i = 0; i < 3; i++) home.State.Complete(hosted[i].Lease, Success);
        Report(home, nearOverflow: 50, farOverflow: 50);

        Assert.Equal((0.0, 3.0), (home.State.BuildReport("near").Tiers[0].Grant, home.State.BuildReport("far").Tiers[0].Spare));
        for (var i = 0; i < 3; i++) Assert.Equal(RouteKind.Send, Receive(home, "far").Kind);
    }

    [Fact]
    public void BuildReport_AnotherOverflowsToo_WhoeverHasMoreThanItsShareKeepsNothing()
    {
        var home = new HomeRegion(FiveEach);
        Report(home, nearOverflow: 0, farOverflow: 50);
        for (var i = 0; i < 8; i++) Receive(home, "far");
        for (var i = 0; i < 2; i++) Receive(home, "near");

        Report(home, nearOverflow: 50, farOverflow: 50);

        Assert.Equal((2, null), (home.State.BuildReport("near").Hosted, home.State.BuildReport("far").Hosted));
    }

    [Fact]
    public void BuildReport_HigherPriorityWaitsElsewhere_KeepsNothing()
    {
        var home = new HomeRegion(FiveEach);
        Report(home, nearOverflow: 0, farOverflow: 50);
        Receive(home, "far");
        Assert.Equal(1, home.State.BuildReport("far").Hosted);

        home.Time.Advance(TimeSpan.FromMilliseconds(100));
        home.ReportOnce("near", HomeRegion.Part() with { Waiting = [new(1, 1)] });
        home.ReportOnce("far", HomeRegion.Part() with { OverflowPerSecond = 50 });

        Assert.Null(home.State.BuildReport("far").Hosted);
    }

    [Fact]
    public void BuildReport_OwnRequestsWait_KeepsNothing()
    {
        var home = new HomeRegion(OneEach, flow: Queue);
        Report(home, nearOverflow: 0, farOverflow: 50, grant: 0);
        for (var i = 0; i < 2; i++) Receive(home, "far");
        Assert.Equal(2, home.State.BuildReport("far").Hosted);
        Assert.Equal(RouteKind.Wait, home.Route().Kind);

        Report(home, nearOverflow: 0, farOverflow: 50, grant: 0);

        Assert.Null(home.State.BuildReport("far").Hosted);
    }

    [Theory]
    [InlineData(BalancingMode.Rate)]
    [InlineData(null)]
    public void BuildReport_EndsMakeNoRoom_KeepsNothing(BalancingMode? mode)
    {
        var home = new HomeRegion(mode is { } named ? new BackendSettings { Mode = named, MaxRatePerEndpoint = 50 } : new BackendSettings());
        Report(home, nearOverflow: 0, farOverflow: 50);
        Receive(home, "far");

        Report(home, nearOverflow: 0, farOverflow: 50);

        Assert.Null(home.State.BuildReport("far").Hosted);
    }

    [Fact]
    public void BuildReport_AboveTarget_KeepsNothing()
    {
        var home = new HomeRegion(OneEach);
        Report(home, nearOverflow: 0, farOverflow: 50, grant: 0);
        for (var i = 0; i < 3; i++) Assert.Equal(RouteKind.Send, Receive(home, "far", DecisionReason.Overfill).Kind);

        Report(home, nearOverflow: 0, farOverflow: 50, grant: 0);

        Assert.Null(home.State.BuildReport("far").Hosted);
    }

    private static RouteDecision Receive(HomeRegion home, string from, DecisionReason reason = DecisionReason.Overflow) =>
        home.State.Route(HomeRegion.Request(prompt: 16) with { OriginRegion = from, OriginEpoch = 3, Hops = 1, OriginReason = reason });

    private static void Report(HomeRegion home, double nearOverflow, double farOverflow, double grant = 100)
    {
        // Nothing counts as having come lately, by which more would be expected to end.
        home.Time.Advance(TimeSpan.FromSeconds(2));
        home.Report("near", HomeRegion.Part(grant) with { OverflowPerSecond = nearOverflow });
        home.Report("far", HomeRegion.Part(grant) with { OverflowPerSecond = farOverflow });
    }
}
