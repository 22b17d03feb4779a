using Mesh.Core.Health;

namespace Mesh.Core.Tests.Health;

public sealed class OutlierDetectorTests
{
    private static readonly EjectionOptions Options = new();
    private OutlierDetector _detector;

    [Fact]
    public void Observe_FourFailuresInARow_IsNoOutlierTheFifthIs()
    {
        for (var i = 0; i < 4; i++) Assert.False(_detector.Observe(true, default, Options));
        Assert.True(_detector.Observe(true, default, Options));
    }

    [Fact]
    public void Observe_ASuccessBetween_CountsAnew()
    {
        for (var i = 0; i < 4; i++) _detector.Observe(true, default, Options);
        _detector.Observe(false, default, Options);

        for (var i = 0; i < 4; i++) Assert.False(_detector.Observe(true, default, Options));
    }

    [Fact]
    public void Observe_HalfFail_EjectsAtTheTwentiethRequest()
    {
        for (var i = 0; i < 19; i++) Assert.False(_detector.Observe(i % 2 == 1, default, Options), $"request {i}");
        Assert.True(_detector.Observe(true, default, Options));
    }

    [Fact]
    public void Observe_LessThanHalfFail_NeverEjects()
    {
        for (var i = 0; i < 1000; i++) Assert.False(_detector.Observe(i % 5 is 1 or 3, TimeSpan.FromMilliseconds(20 * i), Options));
    }

    [Fact]
    public void Observe_FailuresOfAnEarlierWindow_NoLongerCount()
    {
        for (var i = 0; i < 19; i++) _detector.Observe(i % 2 == 1, default, Options);

        Assert.False(_detector.Observe(true, TimeSpan.FromSeconds(10), Options));
    }

    [Fact]
    public void Eject_AgainAndAgain_DoublesUpToTheBound()
    {
        var now = TimeSpan.Zero;
        foreach (var seconds in new[] { 5, 10, 20, 40, 80, 160, 300, 300 })
        {
            _detector.Eject(now, Options);
            Assert.Equal(now + TimeSpan.FromSeconds(seconds), _detector.EjectedUntil);
            now = _detector.EjectedUntil;
            _detector.Return(now);
        }
        Assert.Equal(8, _detector.Ejections);
    }

    [Fact]
    public void Eject_AfterGoodBehaviour_IsShorterAgain()
    {
        var now = TimeSpan.Zero;
        for (var i = 0; i < 4; i++)
        {
            _detector.Eject(now, Options);
            now = _detector.EjectedUntil;
            _detector.Return(now);
        }

        // Four in a row, of which three minutes take three.
        now += TimeSpan.FromMinutes(3);
        _detector.Eject(now, Options);

        Assert.Equal(now + TimeSpan.FromSeconds(10), _detector.EjectedUntil);
    }

    [Theory]
    [InlineData(-1, 0.5, 5, 10)]
    [InlineData(5, 0, 5, 10)]
    [InlineData(5, 1.1, 5, 10)]
    [InlineData(5, 0.5, 0, 10)]
    [InlineData(5, 0.5, 20, 10)]
    public void Validate_OutOfRange_Throws(int consecutive, double ratio, int baseSeconds, int maxSeconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new EjectionOptions
        {
            ConsecutiveFailures = consecutive,
            FailureRatio = ratio,
            BaseDuration = TimeSpan.FromSeconds(baseSeconds),
            MaxDuration = TimeSpan.FromSeconds(maxSeconds),
        }.Validate());
}
