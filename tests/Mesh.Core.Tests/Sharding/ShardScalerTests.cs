using Mesh.Core.Sharding;
using Mesh.Testing;

namespace Mesh.Core.Tests.Sharding;

/// <summary>When a pool is split, and when its shards are joined.</summary>
public sealed class ShardScalerTests
{
    private static readonly ShardingOptions Options = new() { MostShards = 8 };
    private readonly ShardScaler _scaler = new(Options);

    [Fact]
    public void Observe_BusyForLongEnough_Doubles()
    {
        var map = new ShardMap(1, 2, 2);

        Assert.Null(_scaler.Observe(map, [0.6, 0.7], At(10)));
        Assert.Null(_scaler.Observe(map, [0.6, 0.7], At(12.9)));
        Assert.Equal(4, _scaler.Observe(map, [0.6, 0.7], At(13)));
    }

    [Fact]
    public void Observe_BusyWithAPause_StartsToCountAnew()
    {
        var map = new ShardMap(1, 1, 1);

        Assert.Null(_scaler.Observe(map, [0.9], At(10)));
        Assert.Null(_scaler.Observe(map, [0.5], At(12)));
        Assert.Null(_scaler.Observe(map, [0.9], At(13)));
        Assert.Null(_scaler.Observe(map, [0.9], At(15.9)));
        Assert.Equal(2, _scaler.Observe(map, [0.9], At(16)));
    }

    [Fact]
    public void Observe_IdleForLongEnough_Halves_AndWhatIsJoinedIsNotSplitAgain()
    {
        var map = new ShardMap(1, 4, 4);

        Assert.Null(_scaler.Observe(map, [0.15, 0.1, 0.15, 0.1], At(10)));
        Assert.Equal(2, _scaler.Observe(map, [0.15, 0.1, 0.15, 0.1], At(70)));

        // Twice the load for each, and time without end.
        map = new ShardMap(2, 2, 2);
        _scaler.OnChanged(At(70));
        for (var second = 70; second < 1000; second++) Assert.Null(_scaler.Observe(map, [0.3, 0.2], At(second)));
    }

    [Fact]
    public void Observe_AtTheBounds_StaysThere()
    {
        var (most, least) = (new ShardMap(1, 8, 8), new ShardMap(1, 1, 1));
        double[] busy = [1, 1, 1, 1, 1, 1, 1, 1];

        for (var second = 0; second < 200; second++)
        {
            Assert.Null(_scaler.Observe(most, busy, At(second)));
        }
        for (var second = 200; second < 400; second++) Assert.Null(_scaler.Observe(least, [0.0], At(second)));
    }

    [Fact]
    public void Observe_NumberThatIsNotPowerOfTwo_KeepsItsBounds()
    {
        var scaler = new ShardScaler(new ShardingOptions { Shards = 3, MostShards = 5, SplitAfter = TimeSpan.Zero, JoinAfter = TimeSpan.Zero });

        Assert.Equal(5, scaler.Observe(new ShardMap(1, 3, 3), [1, 1, 1], At(1)));
        Assert.Equal(3, scaler.Observe(new ShardMap(2, 5, 5), [0, 0, 0, 0, 0], At(2)));
    }

    [Fact]
    public void Observe_AShardIsNotHeard_DecidesNothing()
    {
        var map = new ShardMap(1, 2, 2);
        for (var second = 0; second < 200; second++) Assert.Null(_scaler.Observe(map, [0.9, double.NaN], At(second)));
    }

    [Fact]
    public void Observe_AfterAChange_WaitsUntilEverybodyHasHeard_ThenEndsTheMoving()
    {
        var map = new ShardMap(2, 2, 1);
        _scaler.OnChanged(At(10));

        Assert.Null(_scaler.Observe(map, [1, 1], At(14.9)));
        Assert.Equal(2, _scaler.Observe(map, [1, 1], At(15)));
    }

    [Fact]
    public void Observe_FixedNumber_IsReachedOnceAndKept()
    {
        var scaler = new ShardScaler(new ShardingOptions { Shards = 4, MostShards = 4 });

        Assert.Equal(4, scaler.Observe(ShardMap.Undivided, [1.0], At(0)));
        Assert.Null(scaler.Observe(new ShardMap(2, 4, 4), [1, 1, 1, 1], At(100)));
        // Another silo has divided it further.
        Assert.Equal(4, scaler.Observe(new ShardMap(3, 8, 8), [1.0], At(200)));
    }

    [Fact]
    public void Validate_RangesThatWouldSwing_AreRefused()
    {
        Options.Validate();
        Assert.Throws<ArgumentOutOfRangeException>(() => (Options with { JoinBelow = 0.3 }).Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => (Options with { Shards = 17 }).Validate());
        Assert.Throws<ArgumentOutOfRangeException>(() => (Options with { Patience = TimeSpan.FromSeconds(30) }).Validate());
    }

    [Fact]
    public void Share_HalfOfTheTime_IsHalf_AndFallsWhenNothingIsDone()
    {
        var time = new ManualTimeProvider();
        var meter = new BusyMeter(time);
        for (var i = 0; i < 300; i++)
        {
            var began = time.GetTimestamp();
            time.Advance(TimeSpan.FromMilliseconds(5));
            meter.End(began);
            time.Advance(TimeSpan.FromMilliseconds(5));
        }
        Assert.Equal(0.5, meter.Share, 0.1);

        time.Advance(TimeSpan.FromSeconds(5));
        Assert.InRange(meter.Share, 0, 0.1);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(0, meter.Share);
    }

    private static TimeSpan At(double seconds) => TimeSpan.FromSeconds(seconds);
}
