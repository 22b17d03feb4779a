using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>What a pool does with a request that came from a peer.</summary>
public sealed class ReceivedRequestTests
{
    private static readonly BackendSettings OneEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 };
    private static readonly FlowControlSettings Queue = new() { WhenFull = WhenFull.Queue };

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
}
