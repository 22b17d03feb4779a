using Mesh.Core.SpillOver;

namespace Mesh.Core.Tests.SpillOver;

public class UtilizationEstimateTests
{
    private static readonly TimeSpan T0 = TimeSpan.Zero;

    [Fact]
    public void Value_NoSample_IsUnknown() => Assert.Null(new UtilizationEstimate(3).Value);

    [Fact]
    public void Value_TwoOfThreeReport_IsTheirMean()
    {
        var estimate = new UtilizationEstimate(3);
        estimate.Observe(0, 0.2, 2, 0, T0);
        estimate.Observe(2, 0.6, 6, 0, T0);

        Assert.Equal(0.4, estimate.Value!.Value, 12);
    }

    [Fact]
    public void Shift_AfterSample_MovesByTheLearnedCost()
    {
        var estimate = new UtilizationEstimate(1);
        estimate.Observe(0, 0.4, 8, 0, T0);

        estimate.Shift(0, 1);
        estimate.Shift(0, 1);
        Assert.Equal(0.5, estimate.Value!.Value, 12);

        for (var i = 0; i < 6; i++) estimate.Shift(0, -1);
        Assert.Equal(0.2, estimate.Value!.Value, 12);
    }

    [Fact]
    public void Expire_OldSample_IsUnknownAgain()
    {
        var estimate = new UtilizationEstimate(2);
        estimate.Observe(0, 0.2, 1, 0, T0);
        estimate.Observe(1, 0.8, 1, 0, TimeSpan.FromSeconds(2));

        estimate.Expire(TimeSpan.FromSeconds(2.5), TimeSpan.FromSeconds(1));
        Assert.Equal(0.8, estimate.Value!.Value, 12);

        estimate.Expire(TimeSpan.FromSeconds(4), TimeSpan.FromSeconds(1));
        Assert.Null(estimate.Value);
    }
}
