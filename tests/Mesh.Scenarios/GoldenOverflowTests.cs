using Mesh.Core.Config;

namespace Mesh.Scenarios;

/// <summary>The golden table: two backends with a capacity of 20 each; offered 10 → 10/0, 30 → 20/10, 60 → 30/30, within 2% of what is offered.</summary>
public sealed class GoldenOverflowTests
{
    private const double Tolerance = 0.02;
    private static readonly BackendSettings Rate10 = new() { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 10 };

    public static TheoryData<double, double, double> Table => new() { { 10, 10, 0 }, { 30, 20, 10 }, { 60, 30, 30 } };

    [Theory]
    [MemberData(nameof(Table))]
    public void Rate_EvenArrivals(double offered, double west, double east) => RateHolds(ArrivalKind.Even, offered, west, east);

    [Theory]
    [MemberData(nameof(Table))]
    public void Rate_PoissonArrivals(double offered, double west, double east) => RateHolds(ArrivalKind.Poisson, offered, west, east);

    [Theory]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(100)]
    public void Rate_PoissonArrivalsAtOtherTargets_TheTableScales(double target)
    {
        var settings = Rate10 with { MaxRatePerEndpoint = target / 2 };
        RateHolds(ArrivalKind.Poisson, target * 0.5, target * 0.5, 0, settings);
        RateHolds(ArrivalKind.Poisson, target * 1.5, target, target * 0.5, settings);
        RateHolds(ArrivalKind.Poisson, target * 3, target * 1.5, target * 1.5, settings);
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void InFlight_ClosedLoop(double offered, double west, double east)
    {
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10, TrafficDuration = TrafficDuration.Long };
        ConcurrencyHolds(settings, offered, west, east);
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void CustomMetric_KvFollowsRequests(double offered, double west, double east)
    {
        var settings = new BackendSettings { Mode = BalancingMode.CustomMetrics, CustomMetrics = [new CustomMetricTarget("kv-cache", 0.6, DryRun: false)] };
        ConcurrencyHolds(settings, offered, west, east);
    }

    [Theory]
    [MemberData(nameof(Table))]
    public void Utilization_KvFollowsRequests(double offered, double west, double east) =>
        ConcurrencyHolds(new BackendSettings { Mode = BalancingMode.Utilization, MaxUtilization = 0.6 }, offered, west, east);

    private static void RateHolds(ArrivalKind kind, double offered, double west, double east, BackendSettings? settings = null)
    {
        var result = ScenarioPlayer.Play(new Scenario
        {
            Name = "rate",
            DurationSeconds = 20 + Math.Max(600, 12_000 / offered),
            WarmUpSeconds = 20,
            ScrapeIntervalSeconds = 10,
            Backends = Two(settings ?? Rate10),
            Arrivals = [new ScenarioArrivals { Kind = kind, PerSecond = offered, ServiceSeconds = 0.3 }],
        });

        // Shares of what came: a Poisson stream of 10 per second is not exactly that.
        var came = result.PlacedPerSecond("west") + result.PlacedPerSecond("east");
        Close(west * came / offered, result.PlacedPerSecond("west"), came, "west");
        Close(east * came / offered, result.PlacedPerSecond("east"), came, "east");
    }

    private static void ConcurrencyHolds(BackendSettings settings, double offered, double west, double east)
    {
        var result = ScenarioPlayer.Play(new Scenario
        {
            Name = "concurrency",
            DurationSeconds = 140,
            WarmUpSeconds = 20,
            Backends = Two(settings),
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = (int)offered, ServiceSeconds = 2, Service = ServiceKind.Exponential, KvPerRequest = 0.06 }],
        });

        Close(west, result.MeanRunning("west"), offered, "west");
        Close(east, result.MeanRunning("east"), offered, "east");
    }

    internal static System.Collections.Immutable.ImmutableArray<ScenarioBackend> Two(BackendSettings settings) =>
        [new ScenarioBackend { Cluster = "west", Settings = settings }, new ScenarioBackend { Cluster = "east", Settings = settings }];

    private static void Close(double expected, double actual, double offered, string name) =>
        Assert.True(Math.Abs(actual - expected) <= Tolerance * offered, $"{name}: {actual:F3} instead of {expected:F3} of {offered:F3}");
}
