using Mesh.Zmtp;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public class ReceiveBufferTests
{
    [Fact]
    public void TryGetRoom_KeepsWhatIsUnreadWhileItGrowsUpToTheBound()
    {
        using var buffer = new ReceiveBuffer(1024, 16384);
        var written = 0;
        while (buffer.TryGetRoom(out var room))
        {
            var count = Math.Min(700, room.Length);
            for (var i = 0; i < count; i++) room.Span[i] = (byte)(written++ % 251);
            buffer.Received(count);
        }

        Assert.Equal(16384, written);
        for (var i = 0; i < written; i++) Assert.Equal((byte)(i % 251), buffer.Unread[i]);
    }

    [Fact]
    public void TryGetRoom_OnceEmpty_GoesBackToTheFirstSize()
    {
        using var buffer = new ReceiveBuffer(1024, 1 << 20);
        for (var total = 0; total < 300_000;)
        {
            Assert.True(buffer.TryGetRoom(out var room));
            buffer.Received(room.Length);
            total += room.Length;
        }
        Assert.True(buffer.CapacityBytes >= 300_000);

        buffer.Consume(buffer.Unread.Length);
        Assert.True(buffer.TryGetRoom(out _));

        Assert.Equal(1024, buffer.CapacityBytes);
    }

    [Fact]
    public void TryGetRoom_ManySmallMessages_NeverGrows()
    {
        using var buffer = new ReceiveBuffer(1024, 1 << 20);
        for (var i = 0; i < 10_000; i++)
        {
            Assert.True(buffer.TryGetRoom(out var room));
            buffer.Received(Math.Min(100, room.Length));
            buffer.Consume(buffer.Unread.Length - (i % 7));
        }

        Assert.Equal(1024, buffer.CapacityBytes);
    }
}
