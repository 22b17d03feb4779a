using Mesh.Simulation.World;

namespace Mesh.Simulation.Tests.World;

public class VirtualClockTests
{
    [Fact]
    public void MoveTo_Later_MovesEveryReading()
    {
        var clock = new VirtualClock();
        Assert.Equal(0, clock.GetTimestamp());
        var start = clock.GetTimestamp();
        clock.MoveTo(1500.25);
        Assert.Equal(1500.25, clock.NowMs);
        Assert.Equal(1_500_250_000, clock.GetTimestamp());
        Assert.Equal(TimeSpan.FromMilliseconds(1500.25), clock.GetElapsedTime(start));
        Assert.Equal(DateTimeOffset.UnixEpoch.AddMilliseconds(1500.25), clock.GetUtcNow());
    }

    [Theory]
    [InlineData(9.999)]
    [InlineData(double.NaN)]
    public void MoveTo_BackOrNowhere_Throws(double timeMs)
    {
        var clock = new VirtualClock();
        clock.MoveTo(10);
        Assert.Throws<ArgumentOutOfRangeException>(() => clock.MoveTo(timeMs));
        clock.MoveTo(10);
        Assert.Equal(10, clock.NowMs);
    }
}
