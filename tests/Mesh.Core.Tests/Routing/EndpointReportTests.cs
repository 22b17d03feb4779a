using Mesh.Core.Endpoints;

namespace Mesh.Core.Tests.Routing;

/// <summary>Reports beside answers and pages of metrics together: the newest value of each figure holds.</summary>
public sealed class EndpointReportTests
{
    private readonly PoolFixture _pool = new(2);

    [Fact]
    public void Apply_ReportAfterPage_ReplacesWhatItTellsAndLeavesTheRest()
    {
        _pool.Sample(0, kv: 0.5, waiting: 9);
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(Report(kv: 0.25));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((0.25, 9), (sample.KvUtilizationRatio, sample.WaitingRequests));
        // It ages by the page: the queue's length has not become younger.
        Assert.Equal(TimeSpan.FromMilliseconds(10), _pool.Endpoint(0).SampleAge);
    }

    [Fact]
    public void Apply_PageReadBeforeTheReport_FillsWhatTheReportDidNotTell()
    {
        var before = _pool.Time.GetTimestamp();
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(Report(waiting: 3));
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(_pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = before, WaitingRequests = 8, KvUtilizationRatio = 0.5 }));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((3, 0.5), (sample.WaitingRequests, sample.KvUtilizationRatio));
        // The page's figures are as old as they are, and no page older than it counts.
        Assert.Equal(TimeSpan.FromMilliseconds(20), _pool.Endpoint(0).SampleAge);
        Assert.False(_pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = before - 1, WaitingRequests = 7 }));
    }

    [Fact]
    public void Apply_PageAfterTheReport_LeavesWhatItDoesNotTell()
    {
        var report = new EndpointReport { Endpoint = PoolFixture.Id(0), Timestamp = _pool.Time.GetTimestamp(), ApplicationUtilizationRatio = 0.7, WaitingRequests = 3 };
        Assert.True(_pool.State.Apply(in report));
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        _pool.Sample(0, kv: 0.5, waiting: 1);
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((0.7, 1, 0.5), (sample.ApplicationUtilizationRatio, sample.WaitingRequests, sample.KvUtilizationRatio));
        _pool.Time.Advance(TimeSpan.FromHours(2));
        _pool.Sample(0, kv: 0.5, waiting: 1);
        Assert.Null(_pool.Endpoint(0).LastSample!.ApplicationUtilizationRatio);
    }

    [Fact]
    public void Apply_PageTooOldToCount_LeavesTheReportAlone()
    {
        var before = _pool.Time.GetTimestamp();
        _pool.Time.Advance(TimeSpan.FromHours(2));
        Assert.True(Report(waiting: 3));
        Assert.True(_pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = before, WaitingRequests = 8, KvUtilizationRatio = 0.5 }));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((3, null), (sample.WaitingRequests, sample.KvUtilizationRatio));
        Assert.Equal(TimeSpan.Zero, _pool.Endpoint(0).SampleAge);
    }

    [Fact]
    public void Apply_ReportOlderThanThePage_FillsWhatThePageDoesNotTell()
    {
        _pool.Time.Advance(TimeSpan.FromSeconds(1));
        _pool.Sample(0, kv: 0.5, waiting: 1);
        var report = new EndpointReport { Endpoint = PoolFixture.Id(0), Timestamp = _pool.Time.GetTimestamp() - 1, ApplicationUtilizationRatio = 0.7, WaitingRequests = 3 };
        Assert.True(_pool.State.Apply(in report));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((0.7, 1), (sample.ApplicationUtilizationRatio, sample.WaitingRequests));
    }

    [Fact]
    public void Apply_PageBetweenTwoReports_KeepsTheFiguresThatAreNewer()
    {
        _pool.Sample(0, kv: 0.1, waiting: 1);
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        var read = _pool.Time.GetTimestamp();
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(Report(waiting: 3));
        Assert.True(_pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = read, WaitingRequests = 8, KvUtilizationRatio = 0.5 }));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((0.5, 3), (sample.KvUtilizationRatio, sample.WaitingRequests));
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        _pool.Sample(0, kv: 0.6, waiting: 4);
        Assert.Equal(4, _pool.Endpoint(0).LastSample!.WaitingRequests);
    }

    [Fact]
    public void Apply_NoPageThatCounts_StandsAlone()
    {
        _pool.Sample(0, kv: 0.5, waiting: 9);
        _pool.Time.Advance(TimeSpan.FromHours(2));
        Assert.True(Report(waiting: 2));
        var sample = _pool.Endpoint(0).LastSample!;
        Assert.Equal((2, null), (sample.WaitingRequests, sample.KvUtilizationRatio));
        Assert.Equal(TimeSpan.Zero, _pool.Endpoint(0).SampleAge);
    }

    [Fact]
    public void Apply_OlderOrUnknown_HasNoEffect()
    {
        _pool.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(Report(waiting: 2));
        var old = new EndpointReport { Endpoint = PoolFixture.Id(0), Timestamp = _pool.Time.GetTimestamp() - 1, WaitingRequests = 7 };
        Assert.False(_pool.State.Apply(in old));
        var unknown = new EndpointReport { Endpoint = new EndpointId("10.9.9.9:1"), Timestamp = _pool.Time.GetTimestamp(), WaitingRequests = 7 };
        Assert.False(_pool.State.Apply(in unknown));
        Assert.Equal(2, _pool.Endpoint(0).LastSample!.WaitingRequests);
    }

    private bool Report(double? kv = null, int? waiting = null)
    {
        var report = new EndpointReport { Endpoint = PoolFixture.Id(0), Timestamp = _pool.Time.GetTimestamp(), KvUtilizationRatio = kv, WaitingRequests = waiting };
        return _pool.State.Apply(in report);
    }
}
