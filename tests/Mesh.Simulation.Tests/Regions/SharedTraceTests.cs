using Mesh.Simulation.Regions;
using Mesh.Simulation.Reports;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>A trace over three regions of which one gets most: sharing by cost is far better than being alone, and near to what one who knows everything does.</summary>
public sealed class SharedTraceTests
{
    private static readonly double[] Loads = [160, 40, 40];

    [Fact]
    public void Run_OneRegionOverloaded_IsNearTheOmniscient()
    {
        var mesh = Play(new RegionWorldOptions { EndpointsPerRegion = 2 }, isOmniscient: false);
        var alone = Play(new RegionWorldOptions { EndpointsPerRegion = 2, HasPeers = false }, isOmniscient: false);
        var omniscient = Play(new RegionWorldOptions { EndpointsPerRegion = 2 }, isOmniscient: true);

        Assert.True(mesh.GoodputPerSecond >= 0.95 * omniscient.GoodputPerSecond, $"{mesh} against {omniscient}");
        Assert.True(mesh.GoodputPerSecond > 1.05 * alone.GoodputPerSecond, $"{mesh} against {alone}");
        Assert.True(mesh.Ttft.P99 < alone.Ttft.P99 / 2, $"{mesh} against {alone}");
    }

    private static RegionFigures Play(RegionWorldOptions options, bool isOmniscient)
    {
        var world = new RegionWorld(options, isOmniscient: isOmniscient);
        // Long prompts, so that a minute of few requests is enough.
        var sessions = new GeneratedSessions(new SessionOptions { Duration = TimeSpan.FromSeconds(60), MeanInputTokens = 3000, SystemPromptTokens = 512, Seed = 5 });
        world.Run(RegionTrace.Spread(sessions.At(40), Loads));
        Assert.Empty(world.Judge.Violations);
        return RegionFigures.Of(world, new SloTarget());
    }
}
