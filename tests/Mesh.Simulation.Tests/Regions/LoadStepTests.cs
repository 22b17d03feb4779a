using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Simulation.Regions;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>Load that steps from nothing to twice a region's capacity: overflow begins soon, and nobody is run over.</summary>
public sealed class LoadStepTests
{
    private const int Target = 4 * 5;

    [Fact]
    public void Run_RateStepToTwiceTheCapacity_OverflowsWithin200Ms()
    {
        var settings = new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 25 };
        var world = new RegionWorld(new RegionWorldOptions { EndpointsPerRegion = 4, Settings = [settings], Scrapes = false });

        world.Run(RegionTrace.Even(0, perSecond: 200, seconds: 5, promptTokens: 64, outputTokens: 8, fromMs: 2000));

        Assert.Empty(world.Judge.Violations);
        var first = world.Requests.First(r => r.ServedBy != 0);
        // Half of the overflow would have been over the target at 200 ms: the bucket's depth is all that is let through.
        Assert.InRange(first.ArrivedMs - 2000, 0, 200.001);
    }

    [Theory]
    [InlineData(WhenFull.Queue)]
    [InlineData(WhenFull.Shed)]
    public void Run_InFlightStepAtTwoGatewaysAtOnce_PeersPeakIsTheirTarget(WhenFull whenFull)
    {
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 5 };
        var options = new RegionWorldOptions
        {
            EndpointsPerRegion = 4,
            Settings = [settings],
            FlowControl = new FlowControlSettings { WhenFull = whenFull },
            Scrapes = false,
            IsJudged = true,
        };
        var world = new RegionWorld(options);

        // Regions 0 and 1 at once: without shares both would send 2 all that it has room for.
        world.Run(RegionTrace.Even(0, 80, 8, 64, 140, fromMs: 1000).Zip(RegionTrace.Even(1, 80, 8, 64, 140, fromMs: 1000)).SelectMany(p => new[] { p.First, p.Second }));

        Assert.Empty(world.Judge.Violations);
        Assert.InRange(world.Judge.Peak[2], Target - 2, Target);
        // What was granted was there: little came in vain, although all of them end in bursts.
        Assert.True(world.PeerRefusals <= world.Forwards.Values.Sum() / 4, $"{world.PeerRefusals} of {world.Forwards.Values.Sum()} came in vain");
    }

    [Fact]
    public void Run_OverfilledByTwo_PeersPeakIsTargetAndCreditsUntilAllAreFull()
    {
        var settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 5 };
        var world = new RegionWorld(new RegionWorldOptions { EndpointsPerRegion = 4, Settings = [settings], Scrapes = false, IsJudged = true });

        // Twice the capacity of one region; three are never full together.
        world.Run(RegionTrace.Even(0, 40, 6, 64, 140, fromMs: 1000));

        Assert.Empty(world.Judge.Violations);
        Assert.All(world.Judge.Peak, peak => Assert.InRange(peak, 0, Target));
    }
}
