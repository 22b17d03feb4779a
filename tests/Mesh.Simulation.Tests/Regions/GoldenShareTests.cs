using Mesh.Core.Config;
using Mesh.Simulation.Regions;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Load at one gateway fills the regions by the golden rules: the nearest up to its target, then the next, then all in proportion to capacity.</summary>
public sealed class GoldenShareTests
{
    private const double WarmUpMs = 5000;

    [Theory]
    [InlineData(10, 10, 0, 0)]
    [InlineData(30, 20, 10, 0)]
    [InlineData(50, 20, 20, 10)]
    [InlineData(90, 30, 30, 30)]
    public void Run_RateTargets_SharesAreGolden(double offered, double own, double near, double far)
    {
        var world = Play(offered, new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 5 }, outputTokens: 16);

        AssertShares(world, offered, [own, near, far]);
    }

    [Theory]
    [InlineData(10, 10, 0, 0)]
    [InlineData(30, 20, 10, 0)]
    [InlineData(50, 20, 20, 10)]
    public void Run_InFlightTargets_SharesAreGolden(double offered, double own, double near, double far)
    {
        // An answer takes about a second, so that 20 in flight are 20 a second.
        var world = Play(offered, new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 5 }, outputTokens: TokensOfOneSecond);

        AssertShares(world, offered, [own, near, far]);
    }

    [Theory]
    [InlineData(30, 15, 15)]
    [InlineData(60, 30, 30)]
    public void Run_TwoRegionsPreferredElsewhere_FillsThePreferredFirst(double offered, double own, double preferred)
    {
        var target = new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 5 };
        var elsewhere = target with { Preference = BackendPreference.Preferred, MaxRatePerEndpoint = 3.75 };
        var world = new RegionWorld(Options([target, elsewhere]) with { Regions = 2 });

        world.Run(RegionTrace.Even(0, offered, 25, 64, 16));

        // The preferred 15 first; at 60, 35 of target are overfilled alike.
        AssertShares(world, offered, offered > 35 ? [offered * 20 / 35, offered * 15 / 35] : [own, preferred]);
    }

    // By the step-time table a token takes some 7 ms in a small batch.
    private const int TokensOfOneSecond = 140;

    private static RegionWorld Play(double offered, BackendSettings settings, int outputTokens)
    {
        var world = new RegionWorld(Options([settings]));
        world.Run(RegionTrace.Even(0, offered, 25, 64, outputTokens));
        return world;
    }

    private static RegionWorldOptions Options(BackendSettings[] settings) => new() { EndpointsPerRegion = 4, Settings = settings, Scrapes = false };

    private static void AssertShares(RegionWorld world, double offered, double[] expected)
    {
        Assert.Empty(world.Judge.Violations);
        var counted = world.Requests.Where(r => r.ArrivedMs >= WarmUpMs).ToArray();
        Assert.All(counted, r => Assert.Equal(RegionEnd.Served, r.End));
        for (var region = 0; region < expected.Length; region++)
        {
            var perSecond = offered * counted.Count(r => r.ServedBy == region) / counted.Length;
            Assert.True(Math.Abs(perSecond - expected[region]) <= 0.05 * offered, $"region {region} got {perSecond:F2}/s of {offered}/s, expected {expected[region]}");
        }
    }
}
