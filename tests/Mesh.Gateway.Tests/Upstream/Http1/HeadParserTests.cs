using System.Text;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Tests.Upstream.Http1;

public sealed class HeadParserTests
{
    private static (HeadStatus Status, AnswerHead Head) Parse(string text, bool isHead = false)
    {
        var status = HeadParser.TryParse(Encoding.Latin1.GetBytes(text), isHead, out var head);
        return (status, head);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "Length", 5, true)]
    [InlineData("HTTP/1.1 200 OK\r\ncontent-length:5\r\n\r\n", 200, "Length", 5, true)]
    [InlineData("HTTP/1.1 200\r\nContent-Length: \t 0 \t\r\n\r\n", 200, "Length", 0, true)]
    [InlineData("HTTP/1.1 200 \r\nContent-Length: 7\r\nContent-Length: 7\r\n\r\n", 200, "Length", 7, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 200, "Chunked", -1, true)]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: CHUNKED\r\nConnection: close\r\n\r\n", 200, "Chunked", -1, false)]
    [InlineData("HTTP/1.1 200 OK\r\n\r\n", 200, "Close", -1, false)]
    [InlineData("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", 200, "Length", 5, false)]
    [InlineData("HTTP/1.1 204 No Content\r\n\r\n", 204, "None", -1, true)]
    [InlineData("HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n", 304, "None", 99, true)]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n", 100, "None", -1, true)]
    [InlineData("HTTP/1.1 999 ü\r\nConnection: Keep-Alive, CLOSE\r\nContent-Length: 1\r\n\r\n", 999, "Length", 1, false)]
    public void Parse_ValidHead_TellsFraming(string text, int status, string framing, long length, bool keeps)
    {
        var (result, head) = Parse(text + "rest");
        Assert.Equal(HeadStatus.Complete, result);
        Assert.Equal((status, framing, length, keeps, text.Length), (head.Status, head.Framing.ToString(), head.ContentLength, head.KeepsConnection, head.Length));
        for (var cut = 0; cut < text.Length; cut++) Assert.Equal(HeadStatus.Incomplete, Parse(text[..cut]).Status);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.6\r\n\r\n")]
    [InlineData("HTTP/2.0 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.2 200 OK\r\n\r\n")]
    [InlineData("http/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1  200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 20 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 099 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 +20 OK\r\n\r\n")]
    [InlineData("\r\nHTTP/1.1 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\n\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\nC: d\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\rC: d\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA : b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n A: b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\n: b\r\n\r\n")]
    [InlineData("HTTP/1.1 200 OK\r\nno colon\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n")]
    public void Parse_NotAnAnswer_IsInvalid(string text) => Assert.Equal(HeadStatus.Invalid, Parse(text).Status);

    [Theory]
    [InlineData("Content-Length: 5\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nContent-Length: 5")]
    [InlineData("Content-Length: 5\r\nContent-Length: 6")]
    [InlineData("Content-Length: 5, 5")]
    [InlineData("Content-Length: +5")]
    [InlineData("Content-Length: -5")]
    [InlineData("Content-Length: 0x5")]
    [InlineData("Content-Length: 5 5")]
    [InlineData("Content-Length:")]
    [InlineData("Content-Length: 9999999999999999999")]
    [InlineData("Transfer-Encoding: gzip, chunked")]
    [InlineData("Transfer-Encoding: chunked, chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")]
    [InlineData("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity")]
    [InlineData("Transfer-Encoding: xchunked")]
    [InlineData("Transfer-Encoding: \vchunked")]
    [InlineData("Transfer-Encoding:")]
    public void Parse_TwoReadingsOfTheEnd_IsInvalid(string headers) => Assert.Equal(HeadStatus.Invalid, Parse($"HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").Status);

    [Fact]
    public void Parse_ChunkedInHttp10_IsInvalid() => Assert.Equal(HeadStatus.Invalid, Parse("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").Status);

    [Fact]
    public void Parse_AnswerToHead_HasNoBodyButItsLength()
    {
        var (status, head) = Parse("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", isHead: true);
        Assert.Equal((HeadStatus.Complete, BodyFraming.None, 5L), (status, head.Framing, head.ContentLength));
    }

    [Fact]
    public void Parse_TooManyHeaders_IsInvalid()
    {
        static string Text(int count) => $"HTTP/1.1 200 OK\r\n{string.Concat(Enumerable.Repeat("A: b\r\n", count))}\r\n";
        Assert.Equal(HeadStatus.Complete, Parse(Text(HeadParser.MaxHeaders)).Status);
        Assert.Equal(HeadStatus.Invalid, Parse(Text(HeadParser.MaxHeaders + 1)).Status);
    }

    [Fact]
    public void TryNext_TakesNamesAndTrimmedValues()
    {
        var rest = HeadParser.Headers("HTTP/1.1 200 OK\r\nA: b \r\nC:\r\nD:\te:f\r\n\r\n"u8);
        var found = new List<string>();
        while (HeadParser.TryNext(ref rest, out var name, out var value)) found.Add($"{Encoding.ASCII.GetString(name)}={Encoding.ASCII.GetString(value)}");
        Assert.Equal(["A=b", "C=", "D=e:f"], found);
    }
}
