using Mesh.Gateway.Admin.History;

namespace Mesh.Dashboard.Tests.Admin;

public sealed class HistoryTests
{
    [Theory]
    [InlineData(0.3)]
    [InlineData(7)]
    [InlineData(180)]
    [InlineData(42_000)]
    public void Percentile_OfOneValue_IsWithinSevenPercent(double milliseconds)
    {
        var counts = new long[LatencyScale.Count];
        counts[LatencyScale.BucketOf(milliseconds)]++;
        Assert.InRange(LatencyScale.Percentile(counts, 0.99)!.Value / milliseconds, 0.93, 1.08);
    }

    [Fact]
    public void Percentile_OfNothing_IsUnknown() => Assert.Null(LatencyScale.Percentile(new long[LatencyScale.Count], 0.5));

    [Fact]
    public void Percentile_OfAHundred_IsTheRankThatItNames()
    {
        var counts = new long[LatencyScale.Count];
        counts[LatencyScale.BucketOf(10)] = 95;
        counts[LatencyScale.BucketOf(1000)] = 5;
        Assert.InRange(LatencyScale.Percentile(counts, 0.95)!.Value, 8.6, 11.6);
        Assert.InRange(LatencyScale.Percentile(counts, 0.96)!.Value, 860, 1160);
    }

    [Fact]
    public void Add_AfterSteps_CountsTheWindowAlone()
    {
        var latency = new LatencyCounts();
        latency.Observe(TimeSpan.FromMilliseconds(10));
        Assert.Equal(1, CountedIn(latency, 3));
        for (var i = 0; i < 3; i++) latency.Step();
        Assert.Equal(0, CountedIn(latency, 3));
        latency.Observe(TimeSpan.FromMilliseconds(10));
        latency.Step();
        Assert.Equal(1, CountedIn(latency, 2));
        Assert.Equal(0, CountedIn(latency, 1));
        for (var i = 0; i < LatencyCounts.Steps; i++) latency.Step();
        Assert.Equal(0, CountedIn(latency, LatencyCounts.Steps));
    }

    [Fact]
    public void Ring_StepsLeftOutAndOverwritten_AreUnknown()
    {
        var ring = new HistoryRing();
        ring.Write(0, [5, null, null, null, null, null, null, null]);
        ring.Write(3, [7, null, null, null, null, null, null, null]);
        Assert.Equal(new double?[] { 5, null, null, 7, null }, ring.Read(Measure.InFlightRequests, 0, 4).ToArray());
        Assert.Equal(new double?[4], ring.Read(Measure.Fullness, 0, 3).ToArray());
        ring.Write(HistoryRing.Length + 1, [9, null, null, null, null, null, null, null]);
        Assert.Equal(new double?[] { null, null, null, 7 }, ring.Read(Measure.InFlightRequests, 0, 3).ToArray());
        Assert.Equal(new double?[] { 9 }, ring.Read(Measure.InFlightRequests, HistoryRing.Length + 1, HistoryRing.Length + 1).ToArray());
    }

    private static long CountedIn(LatencyCounts latency, int steps)
    {
        var counts = new long[LatencyScale.Count];
        latency.Add(steps, counts);
        return counts.Sum();
    }
}
