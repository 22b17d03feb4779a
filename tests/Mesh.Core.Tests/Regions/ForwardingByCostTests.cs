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

    [Fact]
    public void Route_StreamsThatAPromptWouldPushThere_AreWeighedAsAtHome()
    {
        PromptCost[] costs = [new(10, 0), new(40, 0), new(200, 0), new(500, 0), new(1500, 0)];
        var idle = new HomeRegion(endpoints: 1);
        var busy = new HomeRegion(endpoints: 1);
        idle.Report("far", HomeRegion.Part() with { PromptCosts = [.. costs] });
        busy.Report("far", HomeRegion.Part() with { PromptCosts = [.. costs.Select(c => c with { Pushed = 2 })] });
        foreach (var home in new[] { idle, busy }) home.State.Route(HomeRegion.Request(prompt: 8192) with { Explain = true });

        // In an idle region a stream that is pushed over its target costs half a second.
        Assert.Equal(CostOfFar(idle) + 1000, CostOfFar(busy), 0.01);
        // Told in full: waiting and streams are in it; the work is weighed once more, and the way is added.
        Assert.InRange(CostOfFar(idle), 200 + 150, 200 + 150 + 400);
    }

    [Fact]
    public void Route_PeerThatDoesNotTellCosts_IsJudgedByItsWaits()
    {
        var home = new HomeRegion(endpoints: 1);
        home.Report("far", HomeRegion.Part(waitMs: 300));
        home.State.Route(HomeRegion.Request(prompt: 8192) with { Explain = true });

        Assert.True(CostOfFar(home) > 300 + 150);
    }

    [Fact]
    public void Route_PromptForwardedBefore_IsForgottenWhenThePeersCachesHaveTurnedOver()
    {
        ulong[] chain = [.. Enumerable.Range(1, 40).Select(i => (ulong)i * 0x9E3779B97F4A7C15)];
        var home = new HomeRegion(endpoints: 1);
        home.Report("near", Part(cachedEver: 0));
        home.Route(prompt: 30_000);
        var request = HomeRegion.Request(prompt: 2600) with { PrefixChain = chain };
        Assert.Equal(RouteKind.Forward, home.State.Route(in request).Kind);

        Assert.InRange(Cached(90_000), 2500, 2600);
        Assert.InRange(Cached(110_000), 2500, 2600);
        Assert.Equal(0, Cached(230_000));

        int Cached(long cachedEver)
        {
            home.ReportOnce("near", Part(cachedEver));
            home.State.Route(request with { Explain = true });
            return home.State.Decisions()[0].Regions.Single(r => r.Region == "near").CachedTokens;
        }

        // Without credits: what is only asked about leaves no trace there.
        static PoolReport Part(long cachedEver) => HomeRegion.Part(grant: cachedEver == 0 ? 10 : 0) with { CacheTokens = 100_000, CachedEver = cachedEver };
    }

    private static double CostOfFar(HomeRegion home) => home.State.Decisions()[0].Regions.Single(r => r.Region == "far").CostMs;
}
