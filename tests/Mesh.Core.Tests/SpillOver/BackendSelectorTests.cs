using Mesh.Core.Config;
using Mesh.Core.SpillOver;
using static Mesh.Core.Tests.SpillOver.SpillOverFixture;

namespace Mesh.Core.Tests.SpillOver;

public class BackendSelectorTests
{
    private static readonly BackendSettings Rate10 = new() { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 10 };
    private static readonly BackendSettings InFlight10 = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10 };
    private static readonly TrafficDistributionConfig Waterfall = new();

    [Theory]
    [InlineData(10, 10, 0)]
    [InlineData(30, 20, 10)]
    [InlineData(60, 30, 30)]
    public void Select_RateOffered_FillsThenOverflowsThenOverfills(double offered, double west, double east)
    {
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, Rate10), Backend("east", 2, Rate10));

        var shares = fixture.OfferPerSecond(offered, seconds: 60);

        Assert.InRange(shares[0], west - 0.02 * offered, west + 0.02 * offered);
        Assert.InRange(shares[1], east - 0.02 * offered, east + 0.02 * offered);
    }

    [Theory]
    [InlineData(10, 10, 0)]
    [InlineData(30, 20, 10)]
    [InlineData(60, 30, 30)]
    public void Select_ConcurrentOffered_FillsThenOverflowsThenOverfills(int offered, int west, int east)
    {
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, InFlight10), Backend("east", 2, InFlight10));

        for (var i = 0; i < offered; i++) fixture.Place();

        Assert.Equal((west, east), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight));
    }

    [Fact]
    public void Select_StepToTwiceTheTarget_OverflowsWithin200Ms()
    {
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 10, Rate10), Backend("east", 10, Rate10));
        var start = fixture.Now;

        while (fixture.Place().Backend == 0) fixture.Now += TimeSpan.FromMilliseconds(5);

        Assert.InRange((fixture.Now - start).TotalMilliseconds, 1, 200);
    }

    [Fact]
    public void Select_PreferredFar_FillsItBeforeLocal()
    {
        var preferred = InFlight10 with { Preference = BackendPreference.Preferred };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 1, InFlight10), Backend("east", 1, preferred));

        for (var i = 0; i < 15; i++) fixture.Place();

        Assert.Equal((5, 10), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight));
    }

    [Fact]
    public void Select_HalfTheEndpointsUnhealthy_KeepsTargetByTotal()
    {
        var fixture = new SpillOverFixture(new() { FailoverHealthThreshold = 0.5 }, West, Backend("west", 2, InFlight10), Backend("east", 2, InFlight10));
        fixture.Backends[0].HealthyCount = 1;

        for (var i = 0; i < 25; i++) fixture.Place();

        Assert.Equal((20, 5), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight));
    }

    [Fact]
    public void Select_BelowFailoverThreshold_PassesTheShareAboveOn()
    {
        var big = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10_000 };
        var fixture = new SpillOverFixture(new() { FailoverHealthThreshold = 0.7 }, West, Backend("west", 20, big), Backend("east", 20, big));
        fixture.Backends[0].HealthyCount = 7;

        for (var i = 0; i < 1000; i++) fixture.Place();

        Assert.Equal((500, 500), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight));
    }

    [Fact]
    public void Select_NoHealthyEndpoint_NeverChosen()
    {
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, InFlight10), Backend("east", 2, InFlight10));
        fixture.Backends[0].HealthyCount = 0;
        fixture.Backends[1].HealthyCount = 0;

        Assert.Equal(ChoiceKind.None, fixture.Place().Kind);
    }

    [Fact]
    public void Select_ScalerZero_NeverChosenEvenWhenTheRestIsFull()
    {
        var drained = InFlight10 with { CapacityScaler = 0 };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 1, drained), Backend("east", 1, InFlight10));

        for (var i = 0; i < 30; i++) Assert.Equal(1, fixture.Place().Backend);
    }

    [Fact]
    public void Select_TwoBackendsOfOneRegion_FilledInProportionToTargetTimesScaler()
    {
        var half = InFlight10 with { CapacityScaler = 0.5 };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, InFlight10, "a"), Backend("west", 2, half, "b"));

        for (var i = 0; i < 15; i++) fixture.Place();

        Assert.Equal((10, 5), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight));
    }

    [Fact]
    public void Select_WaterfallByZone_FillsOwnZoneFirst()
    {
        var settings = new TrafficDistributionConfig { Algorithm = ServiceLbAlgorithm.WaterfallByZone };
        var locality = new Locality { Region = "west", Zone = "west-b" };
        var fixture = new SpillOverFixture(settings, locality, Backend("west", 1, InFlight10, "a"), Backend("west", 1, InFlight10, "b"), Backend("east", 1, InFlight10));

        for (var i = 0; i < 12; i++) fixture.Place();
        Assert.Equal((2, 10, 0), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight, fixture.Backends[2].InFlight));

        for (var i = 0; i < 10; i++) fixture.Place();
        Assert.Equal((10, 10, 2), (fixture.Backends[0].InFlight, fixture.Backends[1].InFlight, fixture.Backends[2].InFlight));
    }

    [Fact]
    public void Select_SprayToRegion_SharesByCapacityFromTheFirstRequestOn()
    {
        var settings = new TrafficDistributionConfig { Algorithm = ServiceLbAlgorithm.SprayToRegion };
        var fixture = new SpillOverFixture(settings, West, Backend("west", 3, InFlight10, "a"), Backend("west", 1, InFlight10, "b"));

        var counts = new int[2];
        for (var i = 0; i < 400; i++)
        {
            var choice = fixture.Place();
            counts[choice.Backend]++;
            // Each request ends before the next: a comparison of levels would send all of them to one backend.
            fixture.Backends[choice.Backend].OnCompleted(0);
        }

        Assert.Equal([300, 100], counts);
    }

    [Fact]
    public void Select_NearestByRoundTrip_BeforeFartherRegions()
    {
        var locality = new Locality { Region = "west", RoundTripTimes = Rtt(("east", 90), ("central", 40)) };
        var fixture = new SpillOverFixture(
            Waterfall, locality, Backend("asia", 1, InFlight10), Backend("central", 1, InFlight10), Backend("east", 1, InFlight10), Backend("west", 1, InFlight10));

        var order = new List<int>();
        for (var i = 0; i < 40; i++) order.Add(fixture.Place().Backend);

        Assert.Equal([3, 1, 2, 0], order.Distinct());
    }

    [Fact]
    public void Select_IdleForLong_GetsNoBurst()
    {
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, Rate10, "a"), Backend("west", 2, Rate10, "b"));
        fixture.Backends[1].HealthyCount = 0;
        fixture.OfferPerSecond(10, seconds: 30);
        fixture.Backends[1].HealthyCount = 2;

        var shares = fixture.OfferPerSecond(10, seconds: 10);

        Assert.InRange(shares[1], 4.8, 5.2);
    }

    [Theory]
    [InlineData(10, 10, 0)]
    [InlineData(30, 20, 10)]
    [InlineData(60, 30, 30)]
    public void Select_CustomMetricBetweenScrapes_FollowsThePlacedRequests(int offered, int west, int east)
    {
        // Each request takes 3% of an endpoint's KV blocks; the target of 0.3 is reached at 10 requests per endpoint.
        var kv = new BackendSettings { Mode = BalancingMode.CustomMetrics, CustomMetrics = [new CustomMetricTarget("kv-cache", 0.3, DryRun: false)] };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 2, kv), Backend("east", 2, kv));
        var placed = new int[2, 2];
        Scrape();
        for (var i = 0; i < offered; i++)
        {
            var endpoint = i % 2;
            var backend = fixture.Place(endpoint).Backend;
            placed[backend, endpoint]++;
            if (i % 4 == 3) Scrape();
        }

        Assert.Equal(offered, fixture.Backends[0].InFlight + fixture.Backends[1].InFlight);
        Assert.InRange(fixture.Backends[0].InFlight, west - 0.02 * offered, west + 0.02 * offered + 0.5);
        Assert.InRange(fixture.Backends[1].InFlight, east - 0.02 * offered - 0.5, east + 0.02 * offered);

        void Scrape()
        {
            for (var b = 0; b < 2; b++)
            {
                for (var e = 0; e < 2; e++) fixture.Backends[b].Observe(0, e, placed[b, e] * 0.03, placed[b, e], 0, fixture.Now);
            }
        }
    }

    [Fact]
    public void Select_DryRunMetricFull_ChangesNothing()
    {
        var dry = new BackendSettings { Mode = BalancingMode.CustomMetrics, CustomMetrics = [new CustomMetricTarget("kv-cache", 0.3, DryRun: true)] };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 1, dry), Backend("east", 1, dry));
        fixture.Backends[0].Observe(0, 0, 0.99, 0, 0, fixture.Now);

        for (var i = 0; i < 20; i++) Assert.Equal(0, fixture.Place().Backend);
        Assert.Equal(0.99, fixture.Backends[0].Utilization(0)!.Value, 0.2);
    }

    [Fact]
    public void Fullness_MetricThatNoEndpointReports_IsUnknown()
    {
        var kv = new BackendSettings { Mode = BalancingMode.CustomMetrics, CustomMetrics = [new CustomMetricTarget("kv-cache", 0.3, DryRun: false)] };
        var fixture = new SpillOverFixture(Waterfall, West, Backend("west", 1, kv));

        fixture.Place();

        Assert.Null(fixture.Backends[0].Fullness(fixture.Now));
    }

    private static System.Collections.Immutable.ImmutableSortedDictionary<string, TimeSpan> Rtt(params (string Region, int Ms)[] times) =>
        System.Collections.Immutable.ImmutableSortedDictionary.CreateRange(
            times.Select(t => KeyValuePair.Create(t.Region, TimeSpan.FromMilliseconds(t.Ms))));
}
