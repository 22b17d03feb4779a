using Mesh.Core.Config;
using Mesh.Core.FlowControl;
using Mesh.Core.Regions.Links;
using Mesh.Simulation.Regions;

namespace Mesh.Simulation.Tests.Regions;

/// <summary>One outage at a known time between two regions: what it costs while it lasts, and how soon it is over.</summary>
public sealed class OutageTests
{
    private const double FromMs = 4000;
    private const double HealedMs = 10_000;

    [Theory]
    [InlineData("partition")]
    [InlineData("one way out")]
    [InlineData("one way in")]
    [InlineData("silence")]
    [InlineData("loss")]
    [InlineData("flapping")]
    [InlineData("kill")]
    public void Run_OutageOfThePeer_IsOverWithinTwoSecondsOfHealing(string outage)
    {
        var world = Play(outage);

        Assert.Empty(world.Judge.Violations);
        // Before, with the overflow; within 2 s of the end again.
        Assert.True(Away(world, 2000, FromMs) > 20, $"{Away(world, 2000, FromMs)} before");
        Assert.True(Away(world, HealedMs + 2000, HealedMs + 4000) > 20, $"{Away(world, HealedMs + 2000, HealedMs + 4000)} after");
        // Nothing goes there once it has been silent for three intervals and what was on its way is judged.
        if (outage is not ("kill" or "loss" or "flapping")) Assert.Equal(0, Away(world, FromMs + 500, HealedMs));
        // A link that loses one message in ten is slow, not gone.
        if (outage == "loss") Assert.True(Away(world, FromMs + 500, HealedMs) > 20, $"{Away(world, FromMs + 500, HealedMs)} while it lasted");
        Assert.Equal(PeerLinkState.Fresh, world.Sites[0].Pool.Snapshot().Peers[0].State);
    }

    [Theory]
    [InlineData("partition")]
    [InlineData("one way out")]
    [InlineData("one way in")]
    [InlineData("silence")]
    [InlineData("loss")]
    [InlineData("flapping")]
    [InlineData("kill")]
    public void Run_OutageOfThePeer_LocalTrafficIsAsBefore(string outage)
    {
        var world = Play(outage);

        var local = world.Requests.Where(r => r.ServedBy == r.Home && r.Home == 0).ToArray();
        double Slowest(double from, double to) => local.Where(r => r.ArrivedMs >= from && r.ArrivedMs < to).Max(r => r.FirstByteMs - r.ArrivedMs);
        Assert.InRange(Slowest(FromMs, HealedMs), 0, 1.5 * Slowest(1000, FromMs) + 1);
        // What had not begun was answered elsewhere or refused with a reason.
        Assert.All(
            world.Requests.Where(r => r.Home == 0),
            r => Assert.True(r.End == RegionEnd.Served || r.End == RegionEnd.Refused || (r.End == RegionEnd.Broken && !double.IsNaN(r.FirstByteMs)), $"{r.Number} {r.End}"));
    }

    // Twice what home's target lets through; what nobody has room for is refused, so that the targets hold.
    private static RegionWorld Play(string outage)
    {
        var options = new RegionWorldOptions
        {
            Regions = 2,
            EndpointsPerRegion = 2,
            Settings = [new BackendSettings { Mode = BalancingMode.Rate, MaxRatePerEndpoint = 20 }],
            FlowControl = new FlowControlSettings { WhenFull = WhenFull.Shed },
            Scrapes = false,
            IsJudged = true,
        };
        var world = new RegionWorld(options);
        world.Judge.HasFaults = true;
        if (outage == "flapping")
        {
            for (var at = FromMs; at < HealedMs; at += 600)
            {
                world.At(at, () => Set(world, "partition", on: true));
                world.At(at + 300, () => Set(world, "partition", on: false));
            }
        }
        else
        {
            world.At(FromMs, () => Set(world, outage, on: true));
            world.At(HealedMs, () => Set(world, outage, on: false));
        }

        world.Run(RegionTrace.Even(0, 70, 15, 200, 20));
        return world;
    }

    private static void Set(RegionWorld world, string outage, bool on)
    {
        switch (outage)
        {
            case "partition":
                world.Links.SetCut(0, 1, on);
                world.Links.SetCut(1, 0, on);
                break;
            case "one way out":
                world.Links.SetCut(0, 1, on);
                break;
            case "one way in":
                world.Links.SetCut(1, 0, on);
                break;
            case "loss":
                world.Links.SetLoss(0, 1, on ? 0.1 : 0);
                world.Links.SetLoss(1, 0, on ? 0.1 : 0);
                break;
            case "silence":
                world.Sites[1].IsSilent = on;
                break;
            default:
                if (on) world.Crash(1);
                else world.Restart(1);
                break;
        }
    }

    private static int Away(RegionWorld world, double from, double to) => world.Requests.Count(r => r.ServedBy == 1 && r.ArrivedMs >= from && r.ArrivedMs < to);
}
