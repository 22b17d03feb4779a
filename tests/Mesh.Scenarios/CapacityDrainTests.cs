using Mesh.Core.Config;

namespace Mesh.Scenarios;

/// <summary>Auto-capacity drain through probes: below 25% healthy out, back after 60 s at 35% or more.</summary>
public sealed class CapacityDrainTests
{
    private static readonly BackendSettings Big = new() { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1000 };

    [Theory]
    [InlineData(25, false)]
    [InlineData(24, true)]
    public void Drains_Below25PercentHealthy(int healthy, bool drained)
    {
        var result = Play([new ScenarioEvent { AtSeconds = 5, Cluster = "west", HealthyEndpoints = healthy }], 30);

        // Two probes of 1 s decide.
        Assert.Equal(drained, result.PlacedPerSecond("west", 8, 30) == 0);
        Assert.Equal(drained, result.Last.Backends.Single(b => b.Id.Cluster == "west").Drained);
    }

    [Theory]
    [InlineData(34, false)]
    [InlineData(35, true)]
    public void ComesBack_From35PercentHealthyFor60Seconds(int healthy, bool back)
    {
        var result = Play(
            [
                new ScenarioEvent { AtSeconds = 5, Cluster = "west", HealthyEndpoints = 10 },
                new ScenarioEvent { AtSeconds = 20, Cluster = "west", HealthyEndpoints = healthy },
            ],
            100);

        Assert.Equal(0, result.PlacedPerSecond("west", 8, 80));
        if (!back)
        {
            Assert.Null(result.FirstSent("west", fromSeconds: 8));
            return;
        }

        // Healthy by probes 1 to 2 s after the event, then 60 s.
        Assert.InRange(result.FirstSent("west", fromSeconds: 8)!.Value.TotalSeconds, 81, 83.2);
    }

    [Fact]
    public void ADipDuringTheHold_StartsItAnew()
    {
        var result = Play(
            [
                new ScenarioEvent { AtSeconds = 5, Cluster = "west", HealthyEndpoints = 10 },
                new ScenarioEvent { AtSeconds = 20, Cluster = "west", HealthyEndpoints = 80 },
                new ScenarioEvent { AtSeconds = 60, Cluster = "west", HealthyEndpoints = 30 },
                new ScenarioEvent { AtSeconds = 70, Cluster = "west", HealthyEndpoints = 80 },
            ],
            140);

        Assert.InRange(result.FirstSent("west", fromSeconds: 8)!.Value.TotalSeconds, 131, 133.2);
    }

    [Fact]
    public void AnEditDuringTheHold_DoesNotEndIt()
    {
        var edits = Enumerable.Range(0, 20).Select(i => new ScenarioEvent { AtSeconds = 25 + 2 * i, Cluster = "west", Settings = Big });
        var result = Play(
            [
                new ScenarioEvent { AtSeconds = 5, Cluster = "west", HealthyEndpoints = 10 },
                new ScenarioEvent { AtSeconds = 20, Cluster = "west", HealthyEndpoints = 80 },
                .. edits,
            ],
            100);

        Assert.InRange(result.FirstSent("west", fromSeconds: 8)!.Value.TotalSeconds, 81, 83.2);
    }

    [Fact]
    public void TurnedOff_TheDrainEndsAtOnce()
    {
        var result = Play(
            [
                new ScenarioEvent { AtSeconds = 5, Cluster = "west", HealthyEndpoints = 10 },
                new ScenarioEvent { AtSeconds = 20, TrafficDistribution = new() { AutoCapacityDrain = false, FailoverHealthThreshold = 0 } },
            ],
            40);

        Assert.InRange(result.FirstSent("west", fromSeconds: 8)!.Value.TotalSeconds, 20, 20.2);
    }

    [Fact]
    public void HalfOfTheBackendsDrained_NoMoreAre()
    {
        var result = Play(
            [
                new ScenarioEvent { AtSeconds = 5, Cluster = "east", HealthyEndpoints = 10 },
                new ScenarioEvent { AtSeconds = 10, Cluster = "west", HealthyEndpoints = 10 },
            ],
            30);

        Assert.Equal([true, false], result.Last.Backends.Select(b => b.Drained));
        Assert.True(result.PlacedPerSecond("west", 15, 30) > 0);
    }

    private static ScenarioResult Play(ScenarioEvent[] events, double seconds) => ScenarioPlayer.Play(new Scenario
    {
        Name = "drain",
        DurationSeconds = seconds,
        ScrapeIntervalSeconds = 10,
        TrafficDistribution = new() { AutoCapacityDrain = true, FailoverHealthThreshold = 0 },
        Backends = [new ScenarioBackend { Cluster = "west", Endpoints = 100, Settings = Big }, new ScenarioBackend { Cluster = "east", Endpoints = 100, Settings = Big }],
        Arrivals = [new ScenarioArrivals { Kind = ArrivalKind.Even, PerSecond = 20, ServiceSeconds = 0.5 }],
        Events = [.. events],
    });
}
