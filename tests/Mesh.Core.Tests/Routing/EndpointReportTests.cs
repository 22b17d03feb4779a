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
    public void Apply_PageReadBeforeTheReport_DoesNotOverwriteIt()
    {
        var before = _pool.Time.GetTimestamp();
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.True(Report(waiting: 3));
        _pool.Time.Advance(TimeSpan.FromMilliseconds(10));
        Assert.False(_pool.State.Apply(new EndpointSample { Endpoint = PoolFixture.Id(0), Timestamp = before, WaitingRequests = 8, KvUtilizationRatio = 0.5 }));
        Assert.Equal(3, _pool.Endpoint(0).LastSample!.WaitingRequests);
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
