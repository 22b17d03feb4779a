using Mesh.Core.Scheduling.Cost;

namespace Mesh.Core.Tests.Scheduling;

public sealed class SpeedEstimateTests
{
    [Fact]
    public void LearnAnew_KeepsTheRatioAndMovesInLargeStepsAgain()
    {
        var speed = new SpeedEstimate();
        for (var i = 0; i < 400; i++) speed.Observe(i % 2 == 0 ? 201 : 199, 100, i);
        var before = speed.Ratio;
        speed.LearnAnew();
        Assert.Equal(before, speed.Ratio);
        speed.Observe(100, 100, 400);
        Assert.Equal(before / 1.16, speed.Ratio, before * 0.05);
    }

    [Fact]
    public void Relax_NothingObserved_FallsTowardsTheOthers()
    {
        var speed = TwiceAsSlow();
        speed.Relax(1, 6_000);
        Assert.InRange(speed.Ratio, 1.7, 2.1);
        for (var now = 7_000; now <= 60_000; now += 200) speed.Relax(1, now);
        Assert.InRange(speed.Ratio, 1, 1.06);
    }

    [Fact]
    public void Relax_BelowTheOthersOrJustObserved_ChangesNothing()
    {
        var speed = TwiceAsSlow();
        var before = speed.Ratio;
        speed.Relax(1, 4_000);
        speed.Relax(3, 60_000);
        Assert.Equal(before, speed.Ratio);
    }

    [Fact]
    public void Observe_ConfirmsWhatWasLearned_BringsItBackAtOnce()
    {
        var speed = TwiceAsSlow();
        var before = speed.Ratio;
        for (var now = 6_000; now <= 40_000; now += 200) speed.Relax(1, now);
        speed.Observe(200, 100, 40_100);
        Assert.Equal(before, speed.Ratio, before * 0.2);
    }

    [Fact]
    public void Observe_RefutesWhatWasLearned_StaysWithTheOthers()
    {
        var speed = TwiceAsSlow();
        for (var now = 6_000; now <= 40_000; now += 200) speed.Relax(1, now);
        speed.Observe(100, 100, 40_100);
        Assert.InRange(speed.Ratio, 0.85, 1.2);
    }

    private static SpeedEstimate TwiceAsSlow()
    {
        var speed = new SpeedEstimate();
        for (var i = 0; i < 400; i++) speed.Observe(i % 2 == 0 ? 201 : 199, 100, i);
        return speed;
    }
}
