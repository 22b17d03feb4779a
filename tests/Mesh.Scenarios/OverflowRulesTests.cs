using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.SpillOver;

namespace Mesh.Scenarios;

/// <summary>What each field of a policy does to where requests go, through the whole pool.</summary>
public sealed class OverflowRulesTests
{
    private static readonly BackendSettings InFlight10 = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 10 };
    private static readonly BackendSettings Rate10 = new() { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 10 };

    [Theory]
    [InlineData(10, 0)]
    [InlineData(100, 4)]
    public void Rate_StepToTwiceTheTarget_OverflowsWithin200Ms(double before, int mostTooSoon)
    {
        var rate = Rate10 with { MaxRatePerEndpoint = 100 };
        var result = Play(new Scenario
        {
            Name = "step",
            DurationSeconds = 20,
            Backends = GoldenOverflowTests.Two(rate),
            Arrivals =
            [
                new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = before, UntilSeconds = 10, ServiceSeconds = 0.1 },
                new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 400, FromSeconds = 10, ServiceSeconds = 0.1 },
            ],
        });

        Assert.InRange(result.Trace.Count(t => t.Kind == TraceKind.Send && t.Cluster == "east" && t.At.TotalSeconds < 10), 0, mostTooSoon);
        Assert.InRange(result.FirstSent("east", fromSeconds: 10)!.Value.TotalSeconds, 10, 10.2);
    }

    [Theory]
    [InlineData(BalancingMode.InFlight)]
    [InlineData(BalancingMode.CustomMetrics)]
    [InlineData(BalancingMode.Utilization)]
    public void Concurrency_StepToTwiceTheTarget_OverflowsWithin200Ms(BalancingMode mode)
    {
        var settings = new BackendSettings
        {
            Mode = mode,
            MaxInFlightPerEndpoint = mode == BalancingMode.InFlight ? 10 : null,
            MaxUtilization = mode == BalancingMode.Utilization ? 0.6 : null,
            CustomMetrics = mode == BalancingMode.CustomMetrics ? [new CustomMetricTarget("kv-cache", 0.6, DryRun: false)] : [],
        };
        var result = Play(new Scenario
        {
            Name = "step",
            DurationSeconds = 15,
            Backends = GoldenOverflowTests.Two(settings),
            Arrivals =
            [
                new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = 10, ServiceSeconds = 2, Service = ServiceKind.Exponential, KvPerRequest = 0.06 },
                new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = 30, FromSeconds = 10, ServiceSeconds = 2, Service = ServiceKind.Exponential, KvPerRequest = 0.06 },
            ],
        });

        // The metric is up to 220 ms old; the 30 come at once, and the estimate between samples sees the twenty that have room.
        Assert.InRange(result.FirstSent("east", fromSeconds: 10)!.Value.TotalSeconds, 10, 10.2);
        Assert.InRange(result.MostRunning("west"), 19, 21);
    }

    [Fact]
    public void PreferredButFar_FillsBeforeTheNearOne()
    {
        var result = Closed(25, new Scenario
        {
            Name = "preferred",
            DurationSeconds = 60,
            Backends =
            [
                new ScenarioBackend { Cluster = "west", Settings = InFlight10 },
                new ScenarioBackend { Cluster = "far", Settings = InFlight10 with { Preference = BackendPreference.Preferred } },
            ],
        });

        Near(result, ("far", 20), ("west", 5));
    }

    [Fact]
    public void FewerHealthyThanN_TargetStaysByN()
    {
        var result = Closed(30, new Scenario
        {
            Name = "h below N",
            DurationSeconds = 60,
            TrafficDistribution = new() { FailoverHealthThreshold = 0.5 },
            Backends = [new ScenarioBackend { Cluster = "west", Endpoints = 4, HealthyEndpoints = 2, Settings = InFlight10 }, new ScenarioBackend { Cluster = "east", Endpoints = 4, Settings = InFlight10 }],
        });

        // 4 endpoints of 10 make room for 30 although two are down: 15 each for those that are up.
        Near(result, ("west", 30), ("east", 0));
        Assert.DoesNotContain(result.Trace, t => t.Kind == TraceKind.Send && t.Endpoint is "west-02:8000" or "west-03:8000");
    }

    [Theory]
    [InlineData(0.5, 10)]
    [InlineData(0.25, 5)]
    [InlineData(1, 20)]
    public void CapacityScaler_MultipliesTheTarget(double scaler, double west) => Near(
        Closed(30, TwoRegions(InFlight10 with { CapacityScaler = scaler }, InFlight10 with { MaxInFlightPerEndpoint = 100 })),
        ("west", west), ("east", 30 - west));

    [Theory]
    [InlineData(BalancingMode.Rate)]
    [InlineData(BalancingMode.InFlight)]
    [InlineData(null)]
    public void CapacityScalerZero_DrainsEvenWhenTheRestOverfills(BalancingMode? mode)
    {
        var settings = mode switch { BalancingMode.Rate => Rate10, BalancingMode.InFlight => InFlight10, _ => new BackendSettings() };
        var result = Closed(60, TwoRegions(settings with { CapacityScaler = 0 }, settings));

        Assert.Null(result.FirstSent("west"));
        Assert.Equal(0, result.Count(TraceKind.Refuse));
    }

    [Theory]
    [InlineData(BalancingMode.Rate)]
    [InlineData(BalancingMode.InFlight)]
    [InlineData(null)]
    public void CapacityScalerZero_DrainsForSessionsToo(BalancingMode? mode)
    {
        var settings = mode switch { BalancingMode.Rate => Rate10, BalancingMode.InFlight => InFlight10, _ => new BackendSettings() };
        var scenario = new Scenario
        {
            Name = "drained sessions",
            DurationSeconds = 5,
            Backends = [new ScenarioBackend { Cluster = "a", Region = "west", Settings = settings with { CapacityScaler = 0 } }, new ScenarioBackend { Cluster = "b", Region = "west", Settings = settings }],
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 10, Sessions = 20, ServiceSeconds = 0.1 }],
        };

        Assert.Null(Play(scenario).FirstSent("a"));
    }

    [Fact]
    public void TwoBackendsOfARegion_FillInProportionToTargetTimesScaler()
    {
        var result = Closed(15, new Scenario
        {
            Name = "proportion",
            DurationSeconds = 60,
            Backends =
            [
                new ScenarioBackend { Cluster = "a", Region = "west", Settings = InFlight10 },
                new ScenarioBackend { Cluster = "b", Region = "west", Settings = InFlight10 with { CapacityScaler = 0.5 } },
            ],
        });

        Near(result, ("a", 10), ("b", 5));
    }

    [Theory]
    [InlineData(BalancingMode.Rate, 120)]
    [InlineData(BalancingMode.InFlight, 120)]
    public void AllFull_OverfillsInProportionToCapacity(BalancingMode mode, int offered)
    {
        var settings = mode == BalancingMode.Rate ? Rate10 : InFlight10;
        var scenario = new Scenario
        {
            Name = "overfill",
            DurationSeconds = 120,
            WarmUpSeconds = 20,
            Backends = [new ScenarioBackend { Cluster = "west", Settings = settings }, new ScenarioBackend { Cluster = "east", Endpoints = 4, Settings = settings }],
        };
        if (mode == BalancingMode.InFlight)
        {
            Near(Closed(offered, scenario), ("west", 40), ("east", 80));
            return;
        }

        var result = Play(scenario with { Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = offered, ServiceSeconds = 0.2 }] });
        var share = result.PlacedPerSecond("west") / (result.PlacedPerSecond("west") + result.PlacedPerSecond("east"));
        Assert.InRange(share, 1 / 3.0 - 0.02, 1 / 3.0 + 0.02);
    }

    [Theory]
    [InlineData(8, 8, 0, 0)]
    [InlineData(15, 10, 5, 0)]
    [InlineData(25, 10, 10, 5)]
    public void WaterfallByZone_OwnZoneThenTheRegionsOthersThenTheNextRegion(int offered, double own, double other, double next)
    {
        var result = Closed(offered, new Scenario
        {
            Name = "zones",
            DurationSeconds = 60,
            Locality = new Locality { Region = "west", Zone = "b" },
            TrafficDistribution = new() { Algorithm = ServiceLbAlgorithm.WaterfallByZone },
            Backends =
            [
                new ScenarioBackend { Cluster = "other", Region = "west", Zone = "a", Endpoints = 1, Settings = InFlight10 },
                new ScenarioBackend { Cluster = "own", Region = "west", Zone = "b", Endpoints = 1, Settings = InFlight10 },
                new ScenarioBackend { Cluster = "next", Region = "east", Zone = "b", Endpoints = 1, Settings = InFlight10 },
            ],
        });

        Near(result, ("own", own), ("other", other), ("next", next));
    }

    [Theory]
    [InlineData(BalancingMode.Rate)]
    [InlineData(BalancingMode.InFlight)]
    [InlineData(null)]
    public void SprayToRegion_SharesByCapacityWhateverIsNearest(BalancingMode? mode)
    {
        var settings = mode switch { BalancingMode.Rate => Rate10, BalancingMode.InFlight => InFlight10, _ => new BackendSettings() };
        var result = Play(new Scenario
        {
            Name = "spray",
            DurationSeconds = 120,
            Locality = new Locality { Region = "west", Zone = "a" },
            TrafficDistribution = new() { Algorithm = ServiceLbAlgorithm.SprayToRegion },
            Backends =
            [
                new ScenarioBackend { Cluster = "near", Region = "west", Zone = "a", Endpoints = 1, Settings = settings },
                new ScenarioBackend { Cluster = "wide", Region = "west", Zone = "b", Endpoints = 3, Settings = settings },
                new ScenarioBackend { Cluster = "east", Region = "east", Zone = "a", Endpoints = 3, Settings = settings },
            ],
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 20, ServiceSeconds = 0.5, Service = ServiceKind.Exponential }],
        });

        Assert.Null(result.FirstSent("east"));
        Assert.InRange(result.PlacedPerSecond("near"), 4.9, 5.1);
        Assert.InRange(result.PlacedPerSecond("wide"), 14.9, 15.1);
    }

    [Theory]
    [InlineData(0.6, 0)]
    [InlineData(0.35, 10)]
    [InlineData(0.14, 16)]
    public void BelowTheFailoverThreshold_TheShareAboveGoesToTheNextTier(double healthy, double east)
    {
        var big = InFlight10 with { MaxInFlightPerEndpoint = 1000 };
        var result = Play(new Scenario
        {
            Name = "failover",
            DurationSeconds = 60,
            TrafficDistribution = new() { FailoverHealthThreshold = healthy >= 0.6 ? 0.6 : 0.7 },
            Backends = [new ScenarioBackend { Cluster = "west", Endpoints = 100, HealthyEndpoints = (int)(healthy * 100), Settings = big }, new ScenarioBackend { Cluster = "east", Endpoints = 100, Settings = big }],
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Poisson, PerSecond = 20, ServiceSeconds = 1 }],
        });

        var came = result.PlacedPerSecond("west") + result.PlacedPerSecond("east");
        Assert.InRange(result.PlacedPerSecond("east") / came * 20, east - 0.1, east + 0.1);
    }

    [Fact]
    public void Reconfigured_InTheMiddle_CarriesCountsAndRates()
    {
        var settings = Rate10 with { };
        var edits = Enumerable.Range(1, 200).Select(i => new ScenarioEvent { AtSeconds = 20 + i * 0.5, Cluster = "west", Settings = settings with { CapacityScaler = 1 } });
        var result = Play(new Scenario
        {
            Name = "edits",
            DurationSeconds = 120,
            WarmUpSeconds = 20,
            Backends = GoldenOverflowTests.Two(settings),
            Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 30, ServiceSeconds = 5 }],
            Events = [.. edits],
        });

        // A bucket that each edit filled anew would give the near backend up to 8 more requests per second.
        Assert.InRange(result.PlacedPerSecond("west"), 19.4, 20.6);
        Assert.InRange(result.PlacedPerSecond("east"), 9.4, 10.6);
        Assert.InRange(result.Last.Leases, 149, 151);
        Assert.Equal(result.Last.Leases, result.Last.Backends.Sum(b => b.InFlightRequests));
    }

    [Fact]
    public void Reconfigured_TargetHalved_HoldsAtOnceWithoutForgettingWhatRuns()
    {
        var result = Closed(30, TwoRegions(InFlight10, InFlight10 with { MaxInFlightPerEndpoint = 50 }) with
        {
            DurationSeconds = 100,
            WarmUpSeconds = 60,
            Events = [new ScenarioEvent { AtSeconds = 30, Cluster = "west", Settings = InFlight10 with { CapacityScaler = 0.5 } }],
        });

        Near(result, ("west", 10), ("east", 20));
        Assert.DoesNotContain(result.Trace, t => t.Kind == TraceKind.Send && t.Cluster == "west" && t.At.TotalSeconds is > 30 and < 30.05);
    }

    private static Scenario TwoRegions(BackendSettings west, BackendSettings east) => new()
    {
        Name = "two regions",
        DurationSeconds = 60,
        WarmUpSeconds = 10,
        Backends = [new ScenarioBackend { Cluster = "west", Settings = west }, new ScenarioBackend { Cluster = "east", Settings = east }],
    };

    private static ScenarioResult Closed(int clients, Scenario scenario) => Play(scenario with
    {
        Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Closed, Clients = clients, ServiceSeconds = 1, Service = ServiceKind.Uniform, KvPerRequest = 0.06 }],
    });

    private static ScenarioResult Play(Scenario scenario) => ScenarioPlayer.Play(scenario);

    private static void Near(ScenarioResult result, params ImmutableArray<(string Cluster, double Running)> expected)
    {
        var offered = expected.Sum(e => e.Running);
        foreach (var (cluster, running) in expected)
        {
            var actual = result.MeanRunning(cluster);
            Assert.True(Math.Abs(actual - running) <= 0.02 * offered, $"{cluster}: {actual:F3} instead of {running} of {offered}");
        }
    }
}
