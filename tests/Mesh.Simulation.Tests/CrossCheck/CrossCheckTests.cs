using Mesh.Bench.CrossCheck;

namespace Mesh.Simulation.Tests.CrossCheck;

/// <summary>
/// The virtual world beside the real one. Steps take so long that a busy machine's delays are small beside them; the bounds are wide all the same, and
/// grow with how late the load generator was. The close comparison is a command of the benchmarks.
/// </summary>
public sealed class CrossCheckTests
{
    [Fact]
    public async Task Run_SameTraceOverHttpAndInTheVirtualWorld_TakesAboutAsLong()
    {
        var result = await CrossCheckRun.RunAsync(new CrossCheckOptions { Endpoints = 2, Seconds = 25, Rate = 16, SlowDown = 8 });
        Assert.Equal(result.Virtual.Requests, result.Real.Requests);
        Assert.Equal((0, 0), (result.Real.Failed, result.Virtual.Failed));
        Assert.Equal(result.Virtual.PrefixHitRatio, result.Real.PrefixHitRatio, 0.1);
        var lateMs = 200 + 4 * result.LatenessP99Ms;
        Assert.InRange(result.Real.TtftP50, result.Virtual.TtftP50 / 2, 2 * result.Virtual.TtftP50 + lateMs);
        Assert.InRange(result.Real.TtftP90, result.Virtual.TtftP90 / 2, 2 * result.Virtual.TtftP90 + lateMs);
        Assert.InRange(result.Real.TpotP50, result.Virtual.TpotP50 * 0.7, result.Virtual.TpotP50 * 1.3 + lateMs / 10);
    }

    [Fact]
    public void Parse_UnknownOption_SaysWhichThereAre()
    {
        Assert.Contains("--slow-down", Assert.Throws<ArgumentException>(() => CrossCheckOptions.Parse(["--speed", "2"])).Message, StringComparison.Ordinal);
        Assert.Contains("--rate needs a number", Assert.Throws<ArgumentException>(() => CrossCheckOptions.Parse(["--rate", "-1"])).Message, StringComparison.Ordinal);
        Assert.Equal(new CrossCheckOptions { Rate = 5, Seed = 3 }, CrossCheckOptions.Parse(["--rate", "5", "--seed", "3"]));
    }
}
