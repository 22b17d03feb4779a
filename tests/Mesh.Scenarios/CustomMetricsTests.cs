using Mesh.Core.Config;

namespace Mesh.Scenarios;

/// <summary>CUSTOM_METRICS over simulated endpoints, whose KV cache fills with their requests and is read every 200 ms.</summary>
public sealed class CustomMetricsTests
{
    private static readonly CustomMetricTarget Kv = new("kv-cache", 0.6, DryRun: false);

    [Theory]
    [InlineData(0.02, 0.2)]
    [InlineData(0.15, 0.2)]
    [InlineData(0.02, 0.8)]
    public void SampleOld_StillWithin2Percent(double age, double interval)
    {
        var result = Play(30, With(Kv), s => s with { SampleAgeSeconds = age, ScrapeIntervalSeconds = interval });

        Near(result, 20, 10);
    }

    [Theory]
    [InlineData(0.2)]
    [InlineData(0.8)]
    public void RequestsOfUnequalCost_TheCacheStaysAtItsTarget(double interval)
    {
        // Ten endpoints would be 98% full of it; the target keeps them at 60%.
        var result = ScenarioPlayer.Play(Base(With(Kv), new BackendSettings()) with
        {
            DurationSeconds = 320,
            ScrapeIntervalSeconds = interval,
            Backends = [new ScenarioBackend { Cluster = "west", Endpoints = 10, Settings = With(Kv) }, new ScenarioBackend { Cluster = "east", Endpoints = 10 }],
            Arrivals = [Stream(100, 0.02, 1), Stream(10, 0.12, 5), Stream(15, 0.06, 2)],
        });

        var kv = (0.02 * result.MeanRunning("west", 0) + 0.12 * result.MeanRunning("west", 1) + 0.06 * result.MeanRunning("west", 2)) / 10;
        Assert.InRange(kv, 0.6 * 0.98, 0.6 * 1.02);

        static ScenarioArrivals Stream(double perSecond, double kv, double seconds) => new()
        {
            Kind = ArrivalKind.Poisson,
            PerSecond = perSecond,
            ServiceSeconds = seconds,
            Service = ServiceKind.Exponential,
            KvPerRequest = kv,
        };
    }

    [Fact]
    public void TwoMetrics_TheFirstTargetReachedCounts()
    {
        // 12 requests per endpoint for the batch (0.046875 × 256), 10 for the cache.
        var loose = new CustomMetricTarget("batch", 12 / 256.0, DryRun: false);
        var tight = new CustomMetricTarget("batch", 5 / 256.0, DryRun: false);

        Near(Play(30, With(Kv, loose)), 20, 10);
        Near(Play(30, With(Kv, tight), east: new BackendSettings()), 10, 20);
    }

    [Fact]
    public void DryRun_IsMeasuredAndChangesNothing()
    {
        var result = Play(30, With(Kv with { DryRun = true }));

        Near(result, 30, 0);
        Assert.InRange(result.Last.Backends.Single(b => b.Id.Cluster == "west").Utilizations[0]!.Value, 0.85, 0.95);
        Assert.Null(result.Last.Backends.Single(b => b.Id.Cluster == "west").Fullness);
    }

    [Fact]
    public void WithInFlight_Long_TheTighterCounts()
    {
        var tight = With(Kv) with { TrafficDuration = TrafficDuration.Long, MaxInFlightPerEndpoint = 4 };
        var loose = With(Kv) with { TrafficDuration = TrafficDuration.Long, MaxInFlightPerEndpoint = 40 };

        Near(Play(20, tight, east: new BackendSettings()), 8, 12);
        Near(Play(30, loose), 20, 10);
    }

    [Fact]
    public void WithRate_Short_TheTighterCounts()
    {
        // Two endpoints of 5 per second and 0.5 s each run 5 requests at a time; the cache would let 20 in.
        var tight = With(Kv) with { TrafficDuration = TrafficDuration.Short, MaxRatePerEndpoint = 5 };
        var result = ScenarioPlayer.Play(Base(tight, new BackendSettings()) with
        {
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 20, ServiceSeconds = 0.5, KvPerRequest = 0.06 }],
        });

        Assert.InRange(result.PlacedPerSecond("west"), 9.8, 10.2);
        Assert.InRange(result.PlacedPerSecond("east"), 9.8, 10.2);
    }

    [Fact]
    public void ScrapesStop_UnknownIsNotEmpty()
    {
        var result = Play(30, With(Kv), s => s with
        {
            WarmUpSeconds = 60,
            DurationSeconds = 120,
            Events = [new ScenarioEvent { AtSeconds = 30, Cluster = "west", Scraped = false }],
        });

        // What a request costs there was learned before: the backend does not look empty. Between samples that are gone, to one request.
        Near(result, 20, 10, slack: 1.01);
        Assert.Null(result.Last.Backends.Single(b => b.Id.Cluster == "west").Utilizations[0]);
        Assert.Null(result.Last.Backends.Single(b => b.Id.Cluster == "west").Fullness);
    }

    [Fact]
    public void EditedOften_StaysWithin2Percent()
    {
        var edits = Enumerable.Range(0, 1000).Select(i => new ScenarioEvent { AtSeconds = 20 + i * 0.05, Cluster = "west", Settings = With(Kv) });
        var result = Play(30, With(Kv), s => s with { Events = [.. edits] });

        Near(result, 20, 10);
    }

    private static BackendSettings With(params CustomMetricTarget[] metrics) => new() { Mode = BalancingMode.CustomMetrics, CustomMetrics = [.. metrics] };

    private static Scenario Base(BackendSettings west, BackendSettings? east) => new()
    {
        Name = "metrics",
        DurationSeconds = 80,
        WarmUpSeconds = 20,
        Backends = [new ScenarioBackend { Cluster = "west", Settings = west }, new ScenarioBackend { Cluster = "east", Settings = east ?? west }],
    };

    private static ScenarioResult Play(int clients, BackendSettings west, Func<Scenario, Scenario>? change = null, BackendSettings? east = null)
    {
        var scenario = Base(west, east) with
        {
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = clients, ServiceSeconds = 2, Service = ServiceKind.Exponential, KvPerRequest = 0.06 }],
        };
        return ScenarioPlayer.Play(change is null ? scenario : change(scenario));
    }

    private static void Near(ScenarioResult result, double west, double east, double? slack = null)
    {
        var (actualWest, actualEast) = (result.MeanRunning("west"), result.MeanRunning("east"));
        var most = slack ?? 0.02 * (west + east);
        Assert.True(Math.Abs(actualWest - west) <= most && Math.Abs(actualEast - east) <= most, $"{actualWest:F3} and {actualEast:F3} instead of {west} and {east}");
    }
}
