using Mesh.Engine.KvEvents.Subscription;
using static Mesh.Engine.Tests.KvEvents.Zmtp.WireBytes;

namespace Mesh.Engine.Tests.KvEvents.Subscription;

public class BatchFingerprintTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(64)]
    [InlineData(65)]
    [InlineData(5000)]
    public void Of_AByteAtEitherEndOrTheLengthDiffers_Differs(int length)
    {
        var payload = Body(length, 7);
        var print = BatchFingerprint.Of(payload);
        Assert.Equal(print, BatchFingerprint.Of(Body(length, 7)));

        payload[^1] ^= 1;
        Assert.NotEqual(print, BatchFingerprint.Of(payload));
        payload[^1] ^= 1;
        payload[0] ^= 1;
        Assert.NotEqual(print, BatchFingerprint.Of(payload));
        Assert.NotEqual(print, BatchFingerprint.Of(Body(length + 1, 7)));
    }
}
