using System.Text;
using Mesh.Engine.Http.Pages;

namespace Mesh.Engine.Tests.Http.Pages;

public sealed class ResponseDecoderTests
{
    private const int MaxBody = 20;

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\nContent-Length: \t5 \n\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "", true)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", "", true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "hi", true)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 5\r\n\r\nhello", "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", false)]
    [InlineData("HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 200 OK", "hello", false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\nto the end", "to the end", false)]
    [InlineData("HTTP/1.0 200 OK\r\n\r\n", "", false)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n1;a=b\r\nh\r\n004 \r\nello\r\n00\r\nTrailer: x\r\n\r\n", "hello", true)]
    [InlineData("HTTP/1.1 200 OK\ntransfer-encoding: chunked\n\na\n0123456789\nA\n0123456789\n0\n\n", "01234567890123456789", true)]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nhi", "hi", true)]
    public void Decode_WholeResponse_GivesTheBody_HoweverItIsCut(string response, string body, bool canReuse)
    {
        var decoder = new ResponseDecoder(MaxBody);
        var bytes = Encoding.Latin1.GetBytes(response);
        foreach (var piece in new[] { int.MaxValue, 1, 2, 3, 7 })
        {
            var decoded = DecodedResponse.Of(decoder, bytes, () => piece);

            Assert.Equal((DecodeResult.Done, body, canReuse), (decoded.Result, decoded.Body, decoded.CanReuse));
        }
    }

    [Theory]
    [InlineData("HTTP/2 200 OK\r\n\r\n", "not an HTTP/1 response")]
    [InlineData("HTTP/1.1 2x0 OK\r\n\r\n", "not an HTTP/1 response")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n", "not an HTTP/1 response")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n", "not an HTTP/1 response")]
    [InlineData("ICY 200 OK\r\n\r\n", "not an HTTP/1 response")]
    [InlineData("\r\n", "not an HTTP/1 response")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\n\r\n", "changes the protocol")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\n: x\r\n\r\n", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\n folded: x\r\n\r\n", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello", "no name")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5x\r\n\r\nhello", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "content-length")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "both")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "transfer-encoding")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "transfer-encoding")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", "compressed")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello", null)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", "no size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\r\n", "no size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "no size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1000000000000000\r\n", "no size")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhello\r\n", "longer than its size")]
    public void Decode_Nonsense_IsRefused(string response, string? fault)
    {
        var decoder = new ResponseDecoder(MaxBody);
        var bytes = Encoding.Latin1.GetBytes(response);
        foreach (var piece in new[] { int.MaxValue, 1, 3 })
        {
            var decoded = DecodedResponse.Of(decoder, bytes, () => piece);

            Assert.Equal(fault is null ? null : DecodeResult.Malformed, decoded.Result);
            Assert.Contains(fault ?? "", decoded.Fault, StringComparison.Ordinal);
            Assert.False(decoded.CanReuse);
        }
    }

    [Theory]
    [InlineData("Content-Length: 21\r\n\r\n")]
    [InlineData("Content-Length: 9223372036854775807\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n15\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFF\r\n")]
    [InlineData("Transfer-Encoding: chunked\r\n\r\n14\r\n01234567890123456789\r\n1\r\n")]
    [InlineData("X: y\r\n\r\n012345678901234567890")]
    public void Decode_BodyAboveTheLimit_IsRefusedAtOnce(string rest)
    {
        var decoder = new ResponseDecoder(MaxBody);
        var bytes = Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\n" + rest);

        Assert.Equal(DecodeResult.TooLarge, DecodedResponse.Of(decoder, bytes, () => int.MaxValue).Result);
        Assert.Equal(DecodeResult.TooLarge, DecodedResponse.Of(decoder, bytes, () => 1).Result);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\n", "X: y\r\n", "head")]
    [InlineData("HTTP/1.1 200 OK\r\nX: ", "yyyyyyyy", "head")]
    [InlineData("", "HTTP/1.1 100 Continue\r\n\r\n", "head")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X: yyyyyy\r\n", "trailers")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;", "yyyyyyyy", "no size")]
    public void Decode_HeadOrTrailersWithoutEnd_AreRefused(string start, string again, string fault)
    {
        var decoder = new ResponseDecoder(MaxBody);
        var bytes = Encoding.Latin1.GetBytes(start + string.Concat(Enumerable.Repeat(again, 3 * ResponseDecoder.MaxHeadBytes / again.Length)));

        var decoded = DecodedResponse.Of(decoder, bytes, () => 1000);

        Assert.Equal(DecodeResult.Malformed, decoded.Result);
        Assert.Contains(fault, decoded.Fault, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_TinyChunks_TakeNoMoreRoomThanTheBody()
    {
        var decoder = new ResponseDecoder(100_000);
        var buffer = new byte[100_400];
        decoder.Begin();
        var head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"u8;
        head.CopyTo(buffer);
        var length = head.Length;
        for (var i = 0; i < 100_000; i++)
        {
            "1\r\nx\r\n"u8.CopyTo(buffer.AsSpan(length));
            length += 6;
            Assert.Equal(DecodeResult.More, decoder.Decode(buffer, ref length));
        }

        "0\r\n\r\n"u8.CopyTo(buffer.AsSpan(length));
        length += 5;
        Assert.Equal(DecodeResult.Done, decoder.Decode(buffer, ref length));
        Assert.Equal(100_000, buffer.AsSpan(decoder.Body).Length);
        Assert.Equal(-1, buffer.AsSpan(decoder.Body).IndexOfAnyExcept((byte)'x'));
    }
}
