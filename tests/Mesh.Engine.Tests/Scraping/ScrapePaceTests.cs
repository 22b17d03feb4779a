using Mesh.Engine.Scraping;

namespace Mesh.Engine.Tests.Scraping;

public sealed class ScrapePaceTests
{
    private readonly ScrapePace _pace = new(new EngineOptions());

    [Theory]
    [InlineData(0.1, 5, 1, 50)] // somebody waits
    [InlineData(0.8, 5, 0, 50)] // the cache is nearly full
    [InlineData(0.799, 5, 0, 200)]
    [InlineData(0.9, null, null, 50)]
    [InlineData(null, 1, 0, 200)]
    [InlineData(null, null, null, 200)] // it does not tell: not known to rest
    [InlineData(0d, 0, null, 200)]
    [InlineData(0d, null, 0, 200)]
    public void Observe_EndpointAtWork_SetsTheIntervalAtOnce(double? kv, int? running, int? waiting, int expectedMs)
    {
        for (var i = 0; i < 3; i++)
        {
            _pace.Observe(kv, running, waiting, 7);
            Assert.Equal((Ms(expectedMs), false), (_pace.Interval, _pace.IsResting));
        }
    }

    [Fact]
    public void Observe_NothingChanges_DoublesUpToTheLimit_AndAnyChangeEndsIt()
    {
        int[] intervals = [.. Enumerable.Range(0, 7).Select(_ => Rest(7))];
        Assert.Equal([200, 400, 800, 1600, 2000, 2000, 2000], intervals);
        Assert.True(_pace.IsResting);

        Assert.Equal([200, 400], new[] { Rest(8), Rest(8) });
        _pace.Begin();
        Assert.Equal(200, (int)_pace.Interval.TotalMilliseconds);
        Assert.Equal(400, Rest(8));
        _pace.Observe(0.9, 3, 4, 9);
        Assert.Equal(Ms(50), _pace.Interval);
        Assert.Equal([200, 400], new[] { Rest(10), Rest(10) });

        int Rest(ulong fingerprint)
        {
            _pace.Observe(0.25, 0, 0, fingerprint);
            return (int)_pace.Interval.TotalMilliseconds;
        }
    }

    [Theory]
    [InlineData(10, 10_000, 10_000)] // neither makes a slow engine fast nor a resting endpoint faster than others
    [InlineData(50, 50, 20)]
    public void Observe_IntervalsOutOfOrder_TheUsualOneHolds(int crowdedMs, int idleMs, int usualMs)
    {
        var pace = new ScrapePace(new EngineOptions { CrowdedScrapeInterval = Ms(crowdedMs), IdleScrapeInterval = Ms(idleMs), ScrapeInterval = Ms(usualMs) });

        pace.Observe(1, 1, 1, 1);
        Assert.Equal(Ms(Math.Min(crowdedMs, usualMs)), pace.Interval);
        for (var i = 0; i < 20; i++) pace.Observe(0, 0, 0, 2);
        Assert.Equal(Ms(Math.Max(idleMs, usualMs)), pace.Interval);
    }

    [Theory]
    [InlineData(5, 50, 2000, 0.8)]
    [InlineData(200, 9, 2000, 0.8)]
    [InlineData(200, 50, 600_001, 0.8)]
    [InlineData(200, 50, 2000, 1.01)]
    [InlineData(200, 50, 2000, -0.01)]
    [InlineData(200, 50, 2000, double.NaN)]
    public void Validate_OutOfRange_Throws(int usualMs, int crowdedMs, int idleMs, double crowded)
    {
        var options = new EngineOptions { ScrapeInterval = Ms(usualMs), CrowdedScrapeInterval = Ms(crowdedMs), IdleScrapeInterval = Ms(idleMs), CrowdedKvUtilizationRatio = crowded };

        Assert.Throws<ArgumentOutOfRangeException>(options.Validate);
    }

    private static TimeSpan Ms(int value) => TimeSpan.FromMilliseconds(value);
}
