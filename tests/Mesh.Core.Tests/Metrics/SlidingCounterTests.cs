using Mesh.Core.Metrics;

namespace Mesh.Core.Tests.Metrics;

public class SlidingCounterTests
{
    [Fact]
    public void PerSecond_SteadyEvents_GivesTheirRate()
    {
        var counter = new SlidingCounter(10, TimeSpan.FromMilliseconds(100));
        for (var i = 0; i < 500; i++) counter.Add(TimeSpan.FromMilliseconds(5 + i * 20));

        Assert.InRange(counter.PerSecond(TimeSpan.FromMilliseconds(10_000)), 45, 50);
    }

    [Fact]
    public void PerSecond_WindowGoneBy_IsZero()
    {
        var counter = new SlidingCounter(10, TimeSpan.FromMilliseconds(100));
        counter.Add(TimeSpan.Zero);

        Assert.Equal(0, counter.PerSecond(TimeSpan.FromSeconds(1.01)));
    }

    [Fact]
    public void PerSecond_JustBegun_CountsOverOneSlotAtLeast()
    {
        var counter = new SlidingCounter(10, TimeSpan.FromSeconds(1));
        counter.Add(TimeSpan.FromSeconds(100));

        Assert.Equal(1, counter.PerSecond(TimeSpan.FromSeconds(100)));
    }
}
