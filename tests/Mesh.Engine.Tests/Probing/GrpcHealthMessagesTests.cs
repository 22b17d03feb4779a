using Mesh.Engine.Probing;

namespace Mesh.Engine.Tests.Probing;

public sealed class GrpcHealthMessagesTests
{
    [Fact]
    public void Request_Names_AreFramed()
    {
        Assert.Equal("0000000000", Convert.ToHexString(GrpcHealthMessages.Request(null)));
        Assert.Equal("00000000050A03616263", Convert.ToHexString(GrpcHealthMessages.Request("abc")));
        Assert.StartsWith("00000000CB0AC801", Convert.ToHexString(GrpcHealthMessages.Request(new string('a', 200))), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("00000000020801", true, 1)]
    [InlineData("00000000020802", true, 2)]
    [InlineData("0000000000", true, 0)]
    [InlineData("00000000", false, 0)]
    [InlineData("01000000020801", false, 0)]
    [InlineData("00000000030801", false, 0)]
    [InlineData("00000000021001", false, 0)]
    [InlineData("00000000020881", false, 0)]
    [InlineData("FFFFFFFFFF0801", false, 0)]
    public void TryReadStatus_Answers_AreReadOrRefused(string hex, bool expected, int status)
    {
        Assert.Equal((expected, status), (GrpcHealthMessages.TryReadStatus(Convert.FromHexString(hex), out var read), read));
    }
}
