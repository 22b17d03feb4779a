using Mesh.Engine.KvEvents.Subscription;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

public class LiveBacklogTests
{
    [Fact]
    public void TryAdd_KeepsOrderAndContent()
    {
        var backlog = new LiveBacklog(10, 1000);
        Assert.True(backlog.TryAdd(5, [1, 2, 3]));
        Assert.True(backlog.TryAdd(6, []));

        Assert.True(backlog.TryPeek(out var sequence, out var payload));
        Assert.Equal((5UL, "010203", 3L), (sequence, Convert.ToHexString(payload), backlog.Bytes));
        backlog.DropFirst();
        Assert.True(backlog.TryPeek(out sequence, out payload));
        Assert.Equal((6UL, 0, 0L), (sequence, payload.Length, backlog.Bytes));
        backlog.DropFirst();
        Assert.False(backlog.TryPeek(out _, out _));
    }

    [Fact]
    public void TryAdd_FullByCountOrBytes_Refuses()
    {
        var byCount = new LiveBacklog(2, 1000);
        Assert.True(byCount.TryAdd(1, [1]) && byCount.TryAdd(2, [1]));
        Assert.False(byCount.TryAdd(3, [1]));

        var byBytes = new LiveBacklog(100, 10);
        Assert.True(byBytes.TryAdd(1, new byte[6]));
        Assert.False(byBytes.TryAdd(2, new byte[5]));
        Assert.True(byBytes.TryAdd(3, new byte[4]));
        byBytes.Clear();
        Assert.Equal((0, 0L), (byBytes.Count, byBytes.Bytes));
        Assert.True(byBytes.TryAdd(4, new byte[10]));
    }
}
