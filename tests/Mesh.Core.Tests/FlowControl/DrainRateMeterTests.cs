using Mesh.Core.FlowControl;

namespace Mesh.Core.Tests.FlowControl;

public class DrainRateMeterTests
{
    [Theory]
    [InlineData(0, 1)]
    [InlineData(19, 1)]
    [InlineData(99, 5)]
    [InlineData(100, 6)]
    [InlineData(5000, 60)]
    public void RetryAfter_TwentyPerSecond_IsTheTimeOfThoseAhead(int ahead, int seconds)
    {
        var meter = new DrainRateMeter();
        for (var i = 0; i < 400; i++) meter.Add(TimeSpan.FromMilliseconds(i * 50));

        Assert.Equal(seconds, meter.RetryAfter(ahead, TimeSpan.FromMilliseconds(19_999)).TotalSeconds);
    }

    [Fact]
    public void RetryAfter_NothingLeftYet_IsTheLongest()
    {
        Assert.Equal(60, new DrainRateMeter().RetryAfter(3, TimeSpan.Zero).TotalSeconds);
        Assert.Equal(1, new DrainRateMeter().RetryAfter(0, TimeSpan.Zero).TotalSeconds);
    }
}
