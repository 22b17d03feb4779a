using Mesh.Engine.KvEvents.Subscription;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

public class KvEventSourceTests
{
    [Fact]
    public void ForRank_ShiftsBothPorts()
    {
        var source = new KvEventSource("vllm-0", 5557, 5657, Topic: "kv");

        Assert.Equal(new KvEventSource("vllm-0", 5560, 5660, 3, "kv"), source.ForRank(3));
        Assert.Equal(source.ForRank(1), source.ForRank(3).ForRank(1));
        Assert.Null(new KvEventSource("vllm-0", 5557).ForRank(2).ReplayPort);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(60000)]
    public void ForRank_OutOfRange_Throws(int rank) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new KvEventSource("vllm-0", 5557).ForRank(rank));
}
