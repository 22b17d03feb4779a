using Mesh.Simulation.Tests.World;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Traces;

public class RecordedTraceTests
{
    [Fact]
    public void At_TwiceTheRate_HalvesTheTimes()
    {
        var trace = new RecordedTrace([WorldFixture.Row(1000, 1, 1), WorldFixture.Row(2000, 1, 1), WorldFixture.Row(5000, 1, 1)]);
        Assert.Equal(0.5, trace.NativeRate);
        Assert.Equal([0, 500, 2000], trace.At(1).Select(r => r.ArrivalMs));
    }

    [Fact]
    public void At_NoRate_Throws()
    {
        var trace = new RecordedTrace([WorldFixture.Row(0, 1, 1), WorldFixture.Row(1, 1, 1)]);
        Assert.Throws<ArgumentOutOfRangeException>(() => trace.At(0));
    }

    [Fact]
    public void Constructor_NoSpan_Throws() => Assert.Throws<ArgumentException>(() => new RecordedTrace([WorldFixture.Row(0, 1, 1)]));
}
