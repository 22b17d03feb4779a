using Mesh.Zmtp;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Zmtp;

public class ZmtpDecoderTests
{
    [Fact]
    public void Decode_SteadyState_AllocatesNothing()
    {
        byte[] stream = [.. Message([], Body(8, 1), Body(5000, 2)), .. Command("PING", 0, 1)];
        var decoder = new ZmtpDecoder(new ZmtpOptions());
        var before = 0L;
        for (var i = 0; i < 1001; i++)
        {
            if (i == 1) before = GC.GetAllocatedBytesForCurrentThread();
            if (decoder.Decode(stream, out var consumed) != ZmtpDecodeStatus.Message || decoder.Frames.Count != 3) Assert.Fail("no message");
            if (decoder.Decode(stream.AsSpan(consumed), out _) != ZmtpDecodeStatus.Command) Assert.Fail("no command");
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Decode_AMessageOfManyPieces_LooksAtEachFrameOnce()
    {
        // The first frame is overwritten once it has been looked at: a second look would find reserved flags.
        var message = Message(Body(4, 1), Body(4, 2));
        var decoder = new ZmtpDecoder(new ZmtpOptions());

        Assert.Equal(ZmtpDecodeStatus.NeedMore, decoder.Decode(message.AsSpan(0, 7), out _));
        message[0] = 0xFF;

        Assert.Equal(ZmtpDecodeStatus.Message, decoder.Decode(message, out var consumed));
        Assert.Equal(message.Length, consumed);
    }

    [Fact]
    public void FrameTable_BeyondItsCount_Throws()
    {
        var table = default(ZmtpFrameTable);
        Assert.True(table.TryAdd(3, 4));

        Assert.Equal((3, 4), table[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => table[1]);
    }
}
