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
        Assert.Equal(Ms(expectedMs), schedule.Next(Ms(sinceStartMs), success: true));
    }

    [Fact]
    public void Next_AfterFailures_DoublesUpToTheLimitOnTheGrid()
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(1000), phase: 0.25);

        Assert.Equal([400, 800, 1000, 1000, 200, 400], new[] { false, false, false, false, true, false }.Select(s => (int)schedule.Next(Ms(50), s).TotalMilliseconds));
    }

    [Fact]
    public void Next_ManyFailures_StaysBounded()
    {
        var schedule = new ScrapeSchedule(Ms(200), Ms(1000), phase: 0);
        for (var i = 0; i < 100; i++) Assert.InRange(schedule.Next(Ms(7), success: false), Ms(1), Ms(1200));

        schedule.Reset();
        Assert.Equal(Ms(593), schedule.Next(Ms(7), success: false));
    }

    private static TimeSpan Ms(int value) => TimeSpan.FromMilliseconds(value);
}
