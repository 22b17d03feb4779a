using Mesh.Engine.Scraping;

namespace Mesh.Engine.Tests.Scraping;

public sealed class ScrapeScheduleTests
{
    [Theory]
    [InlineData(50, 200)] // on the grid: the next point
    [InlineData(60, 190)] // 10 ms late: still the next point
    [InlineData(249, 1)]
    [InlineData(251, 199)]
    [InlineData(700, 150)] // three points missed: none is made up for
    public void Next_AfterSuccess_IsTheNextPointOfTheGrid(int sinceStartMs, int expectedMs)
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(5000), phase: 0.25);

        Assert.Equal(Ms(50), schedule.First);
        Assert.Equal(Ms(expectedMs), schedule.Next(Ms(sinceStartMs), Ms(200), success: true));
    }

    [Fact]
    public void Next_AfterFailures_DoublesUpToTheLimitOnTheGrid()
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(1000), phase: 0.25);

        Assert.Equal([400, 800, 1000, 1000, 200, 400], new[] { false, false, false, false, true, false }.Select(s => (int)schedule.Next(Ms(50), Ms(200), s).TotalMilliseconds));
    }

    [Fact]
    public void Next_ManyFailures_StaysBounded()
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(1000), phase: 0);
        for (var i = 0; i < 100; i++) Assert.InRange(schedule.Next(Ms(7), Ms(200), success: false), Ms(1), Ms(1200));

        schedule.Reset();
        Assert.Equal(Ms(593), schedule.Next(Ms(7), Ms(200), success: false));
    }

    [Theory]
    [InlineData(0.25, 400, 450, 450)] // 100 + 400k: 500 is nearer than 200, so 900
    [InlineData(0.25, 50, 450, 62)] // 12.5 + 50k: 462.5 is nearer than 25, so 512.5
    [InlineData(0, 400, 600, 200)] // exactly half of the new interval is not too near
    public void Next_AnotherPace_GoesOnOnItsOwnGridAndNotTooSoon(double phase, int paceMs, int sinceStartMs, int expectedMs)
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(5000), phase);

        Assert.Equal(expectedMs, (int)schedule.Next(Ms(sinceStartMs), Ms(paceMs), success: true).TotalMilliseconds);
        Assert.Equal(paceMs, (int)schedule.Next(Ms(paceMs) * (phase + 40), Ms(paceMs), success: true).TotalMilliseconds);
    }

    [Theory]
    [InlineData(50)]
    [InlineData(200)]
    [InlineData(2000)]
    public void Next_HundredEndpointsOfOnePace_AreSpreadEvenly(int paceMs)
    {
        const double Golden = 0.6180339887498949;
        double[] times = [.. Enumerable.Range(1, 100).Select(i => i * Golden % 1).Select(phase =>
        {
            var schedule = new ScrapeSchedule(Ms(200), Ms(5000), phase);
            var now = Ms(10_000);
            now += schedule.Next(now, Ms(paceMs), success: true);
            return now.TotalMilliseconds % paceMs / paceMs;
        }).Order()];

        // Even would be 0.01 apart. On the ring: the last one's neighbour is the first.
        for (var i = 0; i < 100; i++) Assert.InRange((times[(i + 1) % 100] - times[i] + 1) % 1, 0.003, 0.02);
    }

    [Fact]
    public void Next_TimerFiredALittleEarly_DoesNotServeTheSameTimeTwice()
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(1000), phase: 0.25);

        Assert.Equal(Ms(190), schedule.Next(Ms(60), Ms(200), success: true));
        Assert.Equal(Ms(201), schedule.Next(Ms(249), Ms(200), success: true));
        Assert.Equal(Ms(199), schedule.Next(Ms(451), Ms(200), success: true));
    }

    private static TimeSpan Ms(int value) => TimeSpan.FromMilliseconds(value);
}
