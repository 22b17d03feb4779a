using Mesh.Simulation.Baselines;
using Mesh.Simulation.Reports;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.World;

public class ReportTests
{
    [Fact]
    public void Percentiles_OfAHundred_AreTheNearestRanks()
    {
        var percentiles = Percentiles.Of([.. Enumerable.Range(1, 100).Select(i => (double)(101 - i))]);
        Assert.Equal(new Percentiles(50.5, 50, 90, 99), percentiles);
        Assert.Equal(default, Percentiles.Of([]));
        Assert.Equal(new Percentiles(7, 7, 7, 7), Percentiles.Of([7]));
    }

    [Fact]
    public void Build_SmallRun_CountsWhatIsWithinTheTarget()
    {
        // TTFT 10, 20 and 30 ms, a second apart; steps of 10 ms.
        var recorder = new RunRecorder(new SloTarget(TtftMs: 20, TpotMs: 10));
        var world = new DiscreteWorld(WorldFixture.Options(latencyMs: 0), _ => new RoundRobinRouter(1), recorder);
        world.Run([WorldFixture.Row(0, 1000, 2), WorldFixture.Row(1000, 2000, 2), WorldFixture.Row(2000, 3000, 2)]);
        var report = recorder.Build("round-robin", world);
        Assert.Equal((3, 0), (report.Requests, report.Refused));
        Assert.Equal(1.5, report.OfferedPerSecond, 9);
        Assert.Equal(1, report.GoodputPerSecond, 9);
        Assert.Equal(20, report.Ttft.P50, 9);
        Assert.Equal(30, report.Ttft.P99, 9);
        Assert.Equal(10, report.Tpot.P99, 9);
        Assert.Equal(new UtilizationSpread(1, 1), report.Spread);
    }
}
