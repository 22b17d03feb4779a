using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;

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
        var fleet = new EqualEndpoints(WorldFixture.Options(latencyMs: 0));
        var rows = new[] { WorldFixture.Row(0, 1000, 2), WorldFixture.Row(1000, 2000, 2), WorldFixture.Row(2000, 3000, 2) };
        var report = fleet.Play(new ReplayRun("round-robin", "", new SloTarget(TtftMs: 20, TpotMs: 10)), rows, CancellationToken.None).Track.Figures;
        Assert.Equal((3, 0), (report.Requests, report.Refused));
        Assert.Equal(1.5, report.OfferedPerSecond, 9);
        Assert.Equal(1, report.GoodputPerSecond, 9);
        Assert.Equal(20, report.TtftMs.P50, 9);
        Assert.Equal(30, report.TtftMs.P99, 9);
        Assert.Equal(10, report.TpotMs.P99, 9);
        Assert.Equal((1.0, 1.0), (report.LeastToMeanTokens, report.MostToMeanTokens));
    }
}
