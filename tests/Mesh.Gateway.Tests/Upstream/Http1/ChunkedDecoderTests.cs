using System.Text;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Tests.Upstream.Http1;

public sealed class ChunkedDecoderTests
{
    /// <summary>Decodes in pieces of one size.</summary>
    internal static (string Data, int Used, string State) Decode(byte[] bytes, int piece)
    {
        var decoder = default(ChunkedDecoder);
        var data = new StringBuilder();
        var total = 0;
        for (var at = 0; at < bytes.Length && !decoder.IsDone && !decoder.IsInvalid; at += piece)
        {
            var part = bytes[at..Math.Min(at + piece, bytes.Length)];
            var count = decoder.Decode(part, out var used);
            data.Append(Encoding.Latin1.GetString(part, 0, count));
            total += used;
        }

        return (data.ToString(), total, decoder.IsDone ? "done" : decoder.IsInvalid ? "invalid" : "open");
    }

    [Theory]
    [InlineData("0\r\n\r\n", "")]
    [InlineData("5\r\nhello\r\n0\r\n\r\n", "hello")]
    [InlineData("005\r\nhello\r\n000\r\n\r\n", "hello")]
    [InlineData("A;name=\"v\"\r\n0123456789\r\n1\r\nx\r\n0\r\n\r\n", "0123456789x")]
    [InlineData("a  \r\n0123456789\r\n0 ;x\r\n\r\n", "0123456789")]
    [InlineData("1\r\n\r\r\n1\r\n\n\r\n0\r\nTrailer: 1\r\nOther:2\r\n\r\n", "\r\n")]
    public void Decode_Whole_OrCutAnywhere_IsTheSame(string text, string data)
    {
        var bytes = Encoding.Latin1.GetBytes(text + "next");
        for (var piece = 1; piece <= bytes.Length; piece++) Assert.Equal((data, text.Length, "done"), Decode(bytes, piece));
    }

    [Theory]
    [InlineData("\r\n")]
    [InlineData(";x\r\n")]
    [InlineData(" 5\r\nhello\r\n")]
    [InlineData("-5\r\nhello\r\n")]
    [InlineData("0x5\r\nhello\r\n")]
    [InlineData("5\nhello\r\n")]
    [InlineData("5\r\rhello\r\n")]
    [InlineData("5\r\nhello\n0\r\n\r\n")]
    [InlineData("5\r\nhelloo\r\n")]
    [InlineData("5\r\nhell\r\n0\r\n\r\n")]
    [InlineData("5;a\nb\r\nhello\r\n")]
    [InlineData("5;\0\r\nhello\r\n")]
    [InlineData("FFFFFFFFFFFFFFFF\r\n")]
    [InlineData("0\r\nA: b\n\r\n")]
    [InlineData("0\r\nA: b\rc\r\n")]
    [InlineData("0\r\n\rx")]
    public void Decode_Malformed_IsInvalid(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        for (var piece = 1; piece <= bytes.Length; piece++) Assert.Equal("invalid", Decode(bytes, piece).State);
    }

    [Fact]
    public void Decode_EndlessExtensionOrTrailer_IsInvalid()
    {
        Assert.Equal("invalid", Decode(Encoding.ASCII.GetBytes("5;" + new string('a', 5000)), 100).State);
        Assert.Equal("invalid", Decode(Encoding.ASCII.GetBytes("0\r\n" + string.Concat(Enumerable.Repeat("A: b\r\n", 4000))), 100).State);
    }
}
