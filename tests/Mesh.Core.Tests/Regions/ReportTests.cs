using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Reports;
using Mesh.Core.Routing;

namespace Mesh.Core.Tests.Regions;

/// <summary>What a pool tells its peers.</summary>
public sealed class ReportTests
{
    private static readonly BackendSettings FiveEach = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 5 };

    [Fact]
    public void BuildReport_SpareIsSharedAndNeverMoreThanThereIs()
    {
        var home = new HomeRegion(FiveEach);
        home.Report("near", HomeRegion.Part());
        home.Report("far", HomeRegion.Part());
        for (var i = 0; i < 3; i++) home.Route();

        var (near, far) = (home.State.BuildReport("near"), home.State.BuildReport("far"));

        var tier = Assert.Single(near.Tiers);
        Assert.Equal((2, 2, 10.0, 3.0, 7.0), (tier.Endpoints, tier.Healthy, tier.TargetCapacity, tier.Load, tier.Spare));
        Assert.Equal(0.3, tier.Fullness!.Value, 1e-9);
        Assert.Equal(7, tier.Grant + far.Tiers[0].Grant);
        Assert.InRange(tier.Grant, 3, 4);
    }

    [Fact]
    public void BuildReport_OneInNeed_GetsMostOfIt()
    {
        var home = new HomeRegion(FiveEach, endpoints: 20);
        home.Report("near", HomeRegion.Part() with { OverflowPerSecond = 50 });
        home.Report("far", HomeRegion.Part());

        var (near, far) = (home.State.BuildReport("near").Tiers[0].Grant, home.State.BuildReport("far").Tiers[0].Grant);

        Assert.Equal(100, near + far);
        Assert.Equal(95, near);
    }

    [Fact]
    public void BuildReport_HighPriorityWaitsElsewhere_ComesFirst()
    {
        var home = new HomeRegion(FiveEach);
        home.Report("near", HomeRegion.Part() with { OverflowPerSecond = 50, Waiting = [new WaitingCount(0, 40)] });
        home.Report("far", HomeRegion.Part() with { Waiting = [new WaitingCount(10, 8)] });

        Assert.Equal(8, home.State.BuildReport("far").Tiers[0].Grant);
        Assert.Equal(2, home.State.BuildReport("near").Tiers[0].Grant);
    }

    [Fact]
    public void BuildReport_OddSpare_GoesToEachInTurnAndNeverToTwo()
    {
        var home = new HomeRegion(new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 }, endpoints: 1);
        home.Report("near", HomeRegion.Part());
        home.Report("far", HomeRegion.Part());
        var sums = new double[2];
        for (var i = 0; i < 20; i++)
        {
            var (near, far) = (home.State.BuildReport("near").Tiers[0].Grant, home.State.BuildReport("far").Tiers[0].Grant);
            Assert.InRange(near + far, 0, 1);
            (sums[0], sums[1]) = (sums[0] + near, sums[1] + far);
            home.Time.Advance(TimeSpan.FromMilliseconds(100));
            home.ReportOnce("near", HomeRegion.Part());
            home.ReportOnce("far", HomeRegion.Part());
        }

        // Who had it may still use it until a round trip after the report that took it away: then it is the other's.
        Assert.All(sums, sum => Assert.InRange(sum, 3, 10));
    }

    [Theory]
    [InlineData(10_000)]
    [InlineData(1_000)]
    public void BuildReport_NoTargets_GrantsWhatFitsIntoTheCaches(long capacityTokens)
    {
        var home = new HomeRegion();
        home.Report("near", HomeRegion.Part());
        for (var i = 0; i < 2; i++) home.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(i), Timestamp = home.Time.GetTimestamp(), KvCapacityTokens = capacityTokens });
        for (var i = 0; i < 2; i++) Assert.Equal(RouteKind.Send, home.Route(prompt: 1000).Kind);
        var each = 1000 + new PoolStateOptions().AssumedOutputTokens;

        var spare = home.State.BuildReport("near").Tiers[0].Spare;

        // As many more as there is room for, each like the one that is there.
        Assert.Equal(2 * Math.Max(0, (0.95 * capacityTokens) - each) / each, spare, 0.06);
    }

    [Fact]
    public void BuildReport_ShareThatMovesToAnother_WaitsUntilWhatWasGrantedCannotComeAnyMore()
    {
        var home = new HomeRegion(FiveEach);
        home.Report("near", HomeRegion.Part() with { OverflowPerSecond = 100 });
        home.Report("far", HomeRegion.Part());
        Assert.Equal(10, home.State.BuildReport("near").Tiers[0].Grant);

        // All is to go to the other from now on; 10 may still be on their way from the first.
        Next();
        Assert.Equal(0, home.State.BuildReport("far").Tiers[0].Grant);

        Next();
        Assert.InRange(home.State.BuildReport("far").Tiers[0].Grant, 8, 10);

        void Next()
        {
            home.Time.Advance(TimeSpan.FromMilliseconds(100));
            home.ReportOnce("near", HomeRegion.Part());
            home.ReportOnce("far", HomeRegion.Part() with { OverflowPerSecond = 1000 });
        }
    }

    [Fact]
    public void BuildReport_PeerThatIsNotHeard_IsGrantedNothing()
    {
        var home = new HomeRegion(FiveEach);
        home.Report("near", HomeRegion.Part());

        Assert.Equal(0, home.State.BuildReport("far").Tiers[0].Grant);
        Assert.Equal(10, home.State.BuildReport("near").Tiers[0].Grant);
    }

    [Fact]
    public void BuildReport_OwnRequestsWait_ComeBeforePeers()
    {
        var home = new HomeRegion(FiveEach, flow: new FlowControlSettings { WhenFull = WhenFull.Queue });
        for (var i = 0; i < 14; i++) home.Route(priority: i % 2);

        var report = home.State.BuildReport("near");

        Assert.Equal(0, report.Tiers[0].Spare);
        Assert.Equal([new WaitingCount(1, 2), new WaitingCount(0, 2)], report.Waiting.ToArray());
    }

    [Fact]
    public void BuildReport_RateTarget_GrantsWhatComesUntilTheNextOneGetsThere()
    {
        var home = new HomeRegion(new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 50 });
        home.Report("near", HomeRegion.Part());
        home.Report("far", HomeRegion.Part());

        var tier = home.State.BuildReport("near").Tiers[0];

        // A full bucket of 200 ms, and 100 a second over the shortest round trip of 20 ms: what is granted now may be here by then.
        Assert.True(tier.IsRate);
        Assert.Equal(20 + 2, tier.Spare, 0.1);
    }

    [Fact]
    public void BuildReport_NoTarget_HasRoomUntilEndpointsAreBusyForASecond()
    {
        var home = new HomeRegion(endpoints: 2);
        home.Report("near", HomeRegion.Part(waitMs: 1e6));
        Assert.True(home.State.BuildReport("near").Tiers[0].Grant > 2);
        for (var i = 0; i < 20; i++) home.Route(prompt: 20_000);

        home.Time.Advance(TimeSpan.FromMilliseconds(100));
        var report = home.State.BuildReport("near");

        Assert.Null(report.Tiers[0].TargetCapacity);
        Assert.Equal(0, report.Tiers[0].Spare);
        Assert.True(report.MarginalWaitMs > 1000, report.MarginalWaitMs.ToString(System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(2, report.WaitLadderMs.Length);
    }

    [Fact]
    public void BuildReport_PromptCosts_RiseWithLengthAndWait()
    {
        var home = new HomeRegion(endpoints: 2);
        var idle = home.State.BuildReport("near");
        for (var i = 0; i < 4; i++) home.Route(prompt: 20_000);
        home.Time.Advance(TimeSpan.FromMilliseconds(100));
        var busy = home.State.BuildReport("near");

        Assert.Equal(PoolReport.PromptLengths.Length, idle.PromptCosts.Length);
        for (var i = 1; i < idle.PromptCosts.Length; i++) Assert.True(idle.PromptCosts[i].Ms > idle.PromptCosts[i - 1].Ms);
        Assert.Equal(0, idle.CachedEver);
        for (var i = 0; i < busy.PromptCosts.Length; i++) Assert.True(busy.PromptCosts[i].Ms > idle.PromptCosts[i].Ms + 100);
        Assert.True(busy.CachedEver > 20_000);
        Assert.Equal(2 * 432_000, busy.CacheTokens);
    }

    [Fact]
    public void BuildReport_Models_AreThoseThatAllHaveTold()
    {
        var home = new HomeRegion(endpoints: 2);
        home.State.ApplyModels(home.Config.Backends[0].Endpoints[0].Id, ["b", "a"]);
        Assert.True(home.State.BuildReport("near").Models.IsDefault);

        home.State.ApplyModels(home.Config.Backends[0].Endpoints[1].Id, ["c", "a"]);
        home.Time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal("a b c", string.Join(' ', home.State.BuildReport("near").Models));
    }

    [Fact]
    public void BuildReport_SharedBeginning_IsInTheDigestAndMatchesElsewhere()
    {
        var home = new HomeRegion(endpoints: 2);
        ulong[] system = [.. Enumerable.Range(1, 16).Select(i => (ulong)i * 0x9E3779B97F4A7C15)];
        for (var i = 0; i < 10; i++)
        {
            ulong[] chain = [.. system, (ulong)(1000 + i) * 0xD6E8FEB86659FD93];
            Give(home, home.State.Route(HomeRegion.Request(prompt: 1088) with { PrefixChain = chain }));
        }

        var digest = home.State.BuildReport("near").HotPrefixes;

        Assert.Contains(new HotPrefix((uint)system[15], 16), digest);
        Assert.DoesNotContain(digest, p => p.Blocks == 17);
        Assert.Equal(digest.Order().ToArray(), digest.ToArray());
    }

    [Fact]
    public void BuildReport_ManyPrompts_DigestIsBounded()
    {
        var home = new HomeRegion(endpoints: 2);
        for (var i = 0; i < 3000; i++)
        {
            ulong[] chain = [(ulong)(i % 700 + 1) * 0x9E3779B97F4A7C15];
            Give(home, home.State.Route(HomeRegion.Request(prompt: 64) with { PrefixChain = chain }));
        }

        Assert.Equal(128, home.State.BuildReport("near").HotPrefixes.Length);
    }

    [Fact]
    public void NeedsReportSooner_AnEndpointDies_ButNotTooSoon()
    {
        var home = new HomeRegion(FiveEach);
        Assert.False(home.State.NeedsReportSooner);
        home.State.BuildReport("near");
        home.State.ApplyHealth(home.Config.Backends[0].Endpoints[0].Id, EndpointHealth.Unhealthy);
        Assert.False(home.State.NeedsReportSooner);

        home.Time.Advance(TimeSpan.FromMilliseconds(25));

        Assert.True(home.State.NeedsReportSooner);
        home.State.BuildReport("near");
        Assert.False(home.State.NeedsReportSooner);
    }

    [Fact]
    public void NeedsReportSooner_ThePoolIsFull_IsTold()
    {
        var home = new HomeRegion(FiveEach);
        home.State.BuildReport("near");
        home.Time.Advance(TimeSpan.FromMilliseconds(25));
        for (var i = 0; i < 10; i++) home.Route();

        Assert.True(home.State.NeedsReportSooner);
    }

    private static void Give(HomeRegion home, RouteDecision decision)
    {
        if (decision.Kind == RouteKind.Wait) home.State.CancelWait(decision.Ticket);
        else home.State.Complete(decision.Lease, new RequestOutcome(OutcomeKind.Success));
    }
}
