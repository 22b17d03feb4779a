using Mesh.Simulation.Fleets;

namespace Mesh.Simulation.Tests.Fleets;

public sealed class LoadMapTests
{
    [Fact]
    public void Row_OverlappingRequests_AreMeansOfEachSpan()
    {
        var map = new LoadMap(2);
        map.Add(1, 0, 500);
        map.Add(1, 125, 375);
        Assert.Equal((250, 2), (map.SpanMs, map.Spans));
        Assert.Equal([1.5, 1.5], map.Row(1));
        Assert.Equal([0.0, 0.0], map.Row(0));
    }

    [Fact]
    public void Add_LongRun_DoublesTheSpansAndKeepsTheTime()
    {
        var map = new LoadMap(1);
        map.Add(0, 0, 1000);
        map.Add(0, 99_000, 100_000);
        Assert.Equal((1000, 100), (map.SpanMs, map.Spans));
        var row = map.Row(0);
        Assert.Equal((1, 0, 1), (row[0], row[50], row[99]));
        Assert.Equal(2, row.Sum());
    }

    [Fact]
    public void Row_LastSpanNotFull_IsMeanOfWhatThereIs()
    {
        var map = new LoadMap(1);
        map.Add(0, 0, 300);
        Assert.Equal([1.0, 1.0], map.Row(0));
    }
}
