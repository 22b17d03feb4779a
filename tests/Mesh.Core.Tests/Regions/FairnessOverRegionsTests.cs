using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>A tenant's share is judged over all regions: what it gets elsewhere counts as turns that it has had.</summary>
public sealed class FairnessOverRegionsTests
{
    [Fact]
    public void Dispatch_NobodyIsServedElsewhere_FlowsTakeTurns() => Assert.Equal("ABABAB", Order([]));

    [Fact]
    public void Dispatch_OneFlowIsServedElsewhere_TheOtherCatchesUpHere() =>
        // 30 a second for a tenth of a second: three turns.
        Assert.Equal("BBBAAA", Order([new FlowUsage(FlowUsage.Of(0, "A"), 30)]));

    [Fact]
    public void Dispatch_BothAreServedElsewhereAlike_FlowsTakeTurns() =>
        Assert.Equal("ABABAB", Order([.. new[] { "A", "B" }.Select(id => new FlowUsage(FlowUsage.Of(0, id), 30)).OrderBy(u => u.Flow)]));

    [Fact]
    public void Dispatch_AnotherPriorityOfTheTenantIsServedElsewhere_CountsForThatOneAlone() =>
        Assert.Equal("ABABAB", Order([new FlowUsage(FlowUsage.Of(5, "A"), 30)]));

    [Fact]
    public void BuildReport_FlowsThatArePlaced_AreToldByHash()
    {
        var home = Home();
        for (var i = 0; i < 20; i++)
        {
            var decision = home.State.Route(HomeRegion.Request() with { FairnessId = i % 4 == 0 ? "B" : "A" });
            home.State.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success));
        }

        var flows = home.State.BuildReport("near").Flows.ToDictionary(f => f.Flow, f => f.PerSecond);

        Assert.Equal((15f, 5f), (flows[FlowUsage.Of(0, "A")], flows[FlowUsage.Of(0, "B")]));
        home.Time.Advance(TimeSpan.FromSeconds(20));
        home.State.BuildReport("near");
        home.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(home.State.BuildReport("near").Flows);
    }

    [Fact]
    public void BuildReport_ManyFlows_TellsOfThoseThatGetMost()
    {
        var home = Home();
        for (var i = 0; i < 400; i++)
        {
            var decision = home.State.Route(HomeRegion.Request() with { FairnessId = "t" + (i < 300 ? i : i % 10) });
            home.State.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success));
        }

        var flows = home.State.BuildReport("near").Flows;

        Assert.Equal(16, flows.Length);
        Assert.Equal(10, flows.Count(f => f.PerSecond > 5));
    }

    private static HomeRegion Home() => new(
        new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 }, endpoints: 1, new FlowControlSettings { WhenFull = WhenFull.Queue });

    // One is served, three of each flow wait; the peer tells what it serves; then one after the other gets the place.
    private static string Order(FlowUsage[] elsewhere)
    {
        var home = Home();
        home.ReportOnce("near", HomeRegion.Part(grant: 0));
        var served = home.Route();
        var waiting = new Dictionary<long, string>();
        for (var i = 0; i < 6; i++)
        {
            var id = i % 2 == 0 ? "A" : "B";
            waiting.Add(home.State.Route(HomeRegion.Request() with { FairnessId = id }).Ticket, id);
        }

        home.Time.Advance(TimeSpan.FromMilliseconds(100));
        home.ReportOnce("near", HomeRegion.Part(grant: 0) with { Flows = [.. elsewhere] });
        var order = "";
        for (var lease = served.Lease; order.Length < 6;)
        {
            home.State.Complete(lease, new RequestOutcome(OutcomeKind.Success));
            Assert.True(home.State.TryTakeDecided(out var ticket, out var decision));
            order += waiting[ticket];
            lease = decision.Lease;
        }

        return order;
    }
}
