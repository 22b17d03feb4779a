using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>Where a request of a pool without targets costs least: at home or at a peer.</summary>
public sealed class ForwardingByCostTests
{
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
}
