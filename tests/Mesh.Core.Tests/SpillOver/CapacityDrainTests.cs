using Mesh.Core.SpillOver;

namespace Mesh.Core.Tests.SpillOver;

public class CapacityDrainTests
{
    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);

    [Theory]
    [InlineData(24, true)]
    [InlineData(25, false)]
    [InlineData(100, false)]
    public void Update_HealthyPercent_DrainsBelow25(int healthy, bool drained)
    {
        var drain = new CapacityDrain(2);

        drain.Update(0, healthy, 0, 100, At(0));

        Assert.Equal(drained, drain.IsDrained(0));
    }

    [Fact]
    public void Update_HalfAlreadyDrained_DrainsNoMore()
    {
        var drain = new CapacityDrain(2);
        drain.Update(0, 0, 0, 4, At(0));

        drain.Update(1, 0, 0, 4, At(0));

        Assert.True(drain.IsDrained(0));
        Assert.False(drain.IsDrained(1));
    }

    [Theory]
    [InlineData(34, 61, true)]
    [InlineData(35, 59.9, true)]
    [InlineData(35, 60, false)]
    public void Update_HealthyAgain_ReturnsAfter60SecondsAt35Percent(int healthy, double seconds, bool drained)
    {
        var drain = new CapacityDrain(2);
        drain.Update(0, 10, 0, 100, At(0));

        drain.Update(0, healthy, 0, 100, At(10));
        drain.Update(0, healthy, 0, 100, At(10 + seconds));

        Assert.Equal(drained, drain.IsDrained(0));
    }

    [Fact]
    public void Update_DipWhileRecovering_StartsTheHoldAnew()
    {
        var drain = new CapacityDrain(2);
        drain.Update(0, 10, 0, 100, At(0));
        drain.Update(0, 50, 0, 100, At(10));
        drain.Update(0, 30, 0, 100, At(60));
        drain.Update(0, 50, 0, 100, At(61));

        drain.Update(0, 50, 0, 100, At(120));
        Assert.True(drain.IsDrained(0));

        drain.Update(0, 50, 0, 100, At(121));
        Assert.False(drain.IsDrained(0));
    }
}
