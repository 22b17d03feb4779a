using Mesh.Cli.Load;

namespace Mesh.Cli.Tests.Load;

public sealed class LoadPlanTests
{
    private static readonly LoadOptions Options = new()
    {
        Target = new Uri("http://127.0.0.1"), Model = "m", Rate = 100, PromptTokens = Of("exp:100"), OutputTokens = Of("10..20"), Requests = 50_000,
    };

    [Fact]
    public void Requests_Uniform_HaveEqualGaps()
    {
        var requests = new LoadPlan(Options with { Arrivals = ArrivalPattern.Uniform, Duration = TimeSpan.FromMilliseconds(50) }).Requests().ToList();
        Assert.Equal([0, 10, 20, 30, 40], requests.Select(r => r.AtMs));
        Assert.Equal([0L, 1, 2, 3, 4], requests.Select(r => r.Number));
    }

    [Theory]
    [InlineData("Poisson", 1, 1)]
    [InlineData("Bursty", 3, 3)]
    [InlineData("Bursty", 1, 1)]
    public void Requests_RandomArrivals_HaveMeanAndDeviation(string arrivals, double burstiness, double deviation)
    {
        var times = new LoadPlan(Options with { Arrivals = Enum.Parse<ArrivalPattern>(arrivals), Burstiness = burstiness }).Requests().Select(r => r.AtMs).ToArray();
        var gaps = times.Skip(1).Zip(times, (b, a) => b - a).ToArray();
        var mean = gaps.Average();
        Assert.InRange(mean, 9.5, 10.5);
        Assert.InRange(Math.Sqrt(gaps.Average(g => (g - mean) * (g - mean))) / mean, deviation * 0.95, deviation * 1.05);
        Assert.True(gaps.All(g => g >= 0));
    }

    [Fact]
    public void Requests_RateScale_MultipliesTheRate()
    {
        var plan = new LoadPlan(Options with { RateScale = 2.5, Arrivals = ArrivalPattern.Uniform });
        Assert.Equal(250, plan.Rate);
        Assert.Equal(4, plan.Requests().ElementAt(1).AtMs);
    }

    [Fact]
    public void Requests_OtherLengths_KeepTheTimes()
    {
        var some = new LoadPlan(Options with { Requests = 100 }).Requests().Select(r => r.AtMs);
        var others = new LoadPlan(Options with { Requests = 100, PromptTokens = Of("5"), Prefixes = 3 }).Requests().Select(r => r.AtMs);
        Assert.Equal(some, others);
    }

    [Fact]
    public void Requests_Lengths_KeepToTheirRanges()
    {
        var requests = new LoadPlan(Options).Requests().ToList();
        Assert.Equal(50_000, requests.Count);
        Assert.InRange(requests.Average(r => r.PromptTokens), 97, 103);
        Assert.Equal((10, 20), (requests.Min(r => r.OutputTokens), requests.Max(r => r.OutputTokens)));
        Assert.InRange(requests.Average(r => r.OutputTokens), 14.9, 15.1);
    }

    [Fact]
    public void Requests_ReadTwice_AreTheSame()
    {
        var plan = new LoadPlan(Options with { Requests = 500, Turns = 4, SessionMeans = (100, 50), Prefixes = 2 });
        Assert.Equal(plan.Requests().Select(Text), plan.Requests().Select(Text));
        static string Text(PlannedRequest r) => $"{r.AtMs} {r.PromptTokens} {r.OutputTokens} {string.Join(',', r.Blocks.ToArray())}";
    }

    [Theory]
    [InlineData("512", true)]
    [InlineData("1..1", true)]
    [InlineData("exp:1", true)]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("2..1", false)]
    [InlineData("..5", false)]
    [InlineData("5..", false)]
    [InlineData("exp:", false)]
    [InlineData("9999999", false)]
    [InlineData("", false)]
    public void Lengths_TryParse_TakesThreeForms(string text, bool expected) => Assert.Equal(expected, Lengths.TryParse(text, out _));

    [Theory]
    [InlineData("1..2", true)]
    [InlineData("..2", true)]
    [InlineData("1..", true)]
    [InlineData("1m..90s", true)]
    [InlineData("..", false)]
    [InlineData("2..2", false)]
    [InlineData("90s..1m", false)]
    [InlineData("5", false)]
    [InlineData("a..b", false)]
    public void TraceSlice_TryParse_TakesRowsAndTimes(string text, bool expected) => Assert.Equal(expected, TraceSlice.TryParse(text, out _));

    [Theory]
    [InlineData("250us", 0.25)]
    [InlineData("1.5ms", 1.5)]
    [InlineData("2", 2000.0)]
    [InlineData("2s", 2000.0)]
    [InlineData("3m", 180_000.0)]
    [InlineData("1h", 3_600_000.0)]
    [InlineData("8d", null)]
    [InlineData("-1s", null)]
    [InlineData("200h", null)]
    [InlineData("ms", null)]
    public void Durations_TryParse_KnowsUnits(string text, double? ms) =>
        Assert.Equal((ms is not null, TimeSpan.FromMilliseconds(ms ?? 0)), (Durations.TryParse(text, out var duration), duration));

    private static Lengths Of(string text) => Lengths.TryParse(text, out var lengths) ? lengths : throw new ArgumentException(text);
}
