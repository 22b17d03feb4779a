using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>How many requests a peer's credits let through, and what becomes of them.</summary>
public sealed class CreditTests
{
    private static readonly BackendSettings OneEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
    private static readonly FlowControlSettings Queue = new() { WhenFull = WhenFull.Queue };

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
}
