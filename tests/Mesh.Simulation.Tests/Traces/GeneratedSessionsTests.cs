using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Traces;

public class GeneratedSessionsTests
{
    private static readonly SessionOptions Options = new() { Duration = TimeSpan.FromMinutes(60), RequestsPerSecond = 10, Seed = 5 };

    [Fact]
    public void At_Rate_ComesInOrderAtAboutThatRate()
    {
        var times = new GeneratedSessions(Options).At(10).Select(r => r.ArrivalMs).ToList();
        Assert.Equal(times.Order(), times);
        // The second half hour is past the beginning, when few sessions are live.
        var steady = times.Count(t => t >= 1_800_000) / 1800.0;
        Assert.InRange(steady, 9, 11);
    }

    [Fact]
    public void At_Turns_ContainAllThatWasSaidBefore()
    {
        Dictionary<ulong, (int Tokens, long[] Blocks)> said = [];
        var repeats = 0;
        foreach (var row in new GeneratedSessions(Options with { Duration = TimeSpan.FromMinutes(5) }).At(10))
        {
            var blocks = row.Blocks.ToArray();
            Assert.Equal((row.KnownTokens + 511) / 512, blocks.Length);
            if (said.TryGetValue(row.Session, out var before))
            {
                repeats++;
                Assert.True(row.PromptTokens > before.Tokens);
                Assert.Equal(before.Blocks, blocks.Take(before.Blocks.Length));
            }
            else
            {
                Assert.True(row.PromptTokens >= 1024 + 8);
            }

            said[row.Session] = (row.PromptTokens + row.OutputTokens, blocks);
        }

        Assert.True(repeats > 1000, $"{repeats} later turns");
        // Two sessions share their system prompt's blocks and nothing behind them.
        Assert.InRange(said.Values.Select(s => s.Blocks[0]).Distinct().Count(), 2, 20);
        Assert.Equal(said.Count, said.Values.Select(s => s.Blocks[2]).Distinct().Count());
    }

    [Fact]
    public void At_Bursty_BeginsSessionsInTheBusyHalves()
    {
        var rows = new GeneratedSessions(Options with { MeanTurns = 1, Burstiness = 1.5 }).At(10).ToList();
        var busy = rows.Count(r => r.ArrivalMs % 60_000 < 30_000);
        Assert.InRange((double)busy / rows.Count, 0.73, 0.77);
    }

    [Fact]
    public void At_MostRequests_EndsThere() => Assert.Equal(100, new GeneratedSessions(Options with { MostRequests = 100 }).At(10).Count());

    [Fact]
    public void Constructor_BadOption_NamesIt() =>
        Assert.Contains("MeanTurns must be 1–1000", Assert.Throws<ArgumentOutOfRangeException>(() => new GeneratedSessions(Options with { MeanTurns = 0.5 })).Message);

    [Theory]
    [InlineData(1e-300)]
    [InlineData(0.1)]
    [InlineData(0.999999)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(12345.678)]
    public void NaturalLog_AgainstTheLibrary_IsTheSameTo12Digits(double x) =>
        Assert.Equal(Math.Log(x), Draws.NaturalLog(x), 1e-12 * Math.Max(1, Math.Abs(Math.Log(x))));
}
