using Mesh.Core.Regions;
using Mesh.Core.Regions.Links;
using Mesh.Testing;

namespace Mesh.Core.Tests.Regions;

public sealed class PeerLinkTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private readonly ManualTimeProvider _time = new();
    private readonly PeerLink _link;
    private long _sequence;

    public PeerLinkTests() => _link = new PeerLink("far", _time, new RegionOptions());

    [Fact]
    public void State_BeforeTheFirstReport_IsUnreachable() => Assert.Equal(PeerLinkState.Unreachable, _link.State);

    [Fact]
    public void Hear_ThreeInARow_IsFresh()
    {
        Hear();
        _time.Advance(Interval);
        Hear();
        Assert.Equal(PeerLinkState.Unreachable, _link.State);
        _time.Advance(Interval);
        Hear();

        Assert.Equal(PeerLinkState.Fresh, _link.State);
    }

    [Fact]
    public void State_SilentForMoreThanThreeIntervals_IsSuspectAndBackWithOneReport()
    {
        MakeFresh();
        _time.Advance(3 * Interval);
        Assert.Equal(PeerLinkState.Fresh, _link.State);
        Assert.True(_link.NextChange <= TimeSpan.FromTicks(1));
        _time.Advance(TimeSpan.FromTicks(1));
        Assert.Equal(PeerLinkState.Suspect, _link.State);

        Hear();

        Assert.Equal(PeerLinkState.Fresh, _link.State);
    }

    [Fact]
    public void State_SilentForMoreThanTenIntervals_IsUnreachableAndBackWithThreeReports()
    {
        MakeFresh();
        _time.Advance(10 * Interval + TimeSpan.FromTicks(1));
        Assert.Equal(PeerLinkState.Unreachable, _link.State);
        Assert.Null(_link.NextChange);

        Hear();
        _time.Advance(Interval);
        Hear();
        Assert.Equal(PeerLinkState.Unreachable, _link.State);
        _time.Advance(Interval);
        Hear();

        Assert.Equal(PeerLinkState.Fresh, _link.State);
    }

    [Fact]
    public void State_ReportsWithGapsAfterAnOutage_StaysUnreachable()
    {
        MakeFresh();
        _time.Advance(20 * Interval);
        for (var i = 0; i < 5; i++)
        {
            Hear();
            _time.Advance(4 * Interval);
        }

        Assert.Equal(PeerLinkState.Unreachable, _link.State);
    }

    [Fact]
    public void Hear_PeerThatDoesNotHearUs_IsSuspect()
    {
        MakeFresh();
        Assert.True(_link.Hear(1, ++_sequence, 4 * Interval));
        Assert.Equal(PeerLinkState.Suspect, _link.State);
        Assert.True(_link.Hear(1, ++_sequence, null));
        Assert.Equal(PeerLinkState.Suspect, _link.State);

        Hear();

        Assert.Equal(PeerLinkState.Fresh, _link.State);
    }

    [Fact]
    public void Lose_UntilTheNextReport_IsSuspect()
    {
        MakeFresh();
        _link.Lose();
        Assert.Equal(PeerLinkState.Suspect, _link.State);

        Hear();

        Assert.Equal(PeerLinkState.Fresh, _link.State);
    }

    [Fact]
    public void Hear_OutOfOrderOrOfAnEarlierStart_IsPassedOver()
    {
        Assert.True(_link.Hear(5, 10, TimeSpan.Zero));

        Assert.False(_link.Hear(5, 10, TimeSpan.Zero));
        Assert.False(_link.Hear(5, 9, TimeSpan.Zero));
        Assert.False(_link.Hear(4, 11, TimeSpan.Zero));
        Assert.True(_link.Hear(6, 1, TimeSpan.Zero));
        Assert.Equal(6, _link.Instance);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(20_000)]
    public void Options_IntervalOutOfRange_Throws(int milliseconds) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PeerLink("far", _time, new RegionOptions { ReportInterval = TimeSpan.FromMilliseconds(milliseconds) }));

    [Fact]
    public void Options_UnreachableBeforeSuspect_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new RegionOptions { SuspectAfterIntervals = 5, UnreachableAfterIntervals = 5 }.Validate());

    private void MakeFresh()
    {
        for (var i = 0; i < 3; i++)
        {
            if (i > 0) _time.Advance(Interval);
            Hear();
        }
    }

    private void Hear() => Assert.True(_link.Hear(1, ++_sequence, TimeSpan.Zero));
}
