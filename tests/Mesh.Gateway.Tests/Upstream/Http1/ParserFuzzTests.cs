using System.Globalization;
using System.Text;
using Mesh.Core.Randomness;
using Mesh.Gateway.Upstream.Http1;

namespace Mesh.Gateway.Tests.Upstream.Http1;

/// <summary>
/// Mutated answers. <c>MESH_FUZZ_INPUTS=1000000 dotnet test -c Release tests/Mesh.Gateway.Tests --filter ParserFuzz</c> runs a million of each;
/// a failure names the seed.
/// </summary>
public sealed class ParserFuzzTests
{
    private static readonly int Inputs = int.TryParse(Environment.GetEnvironmentVariable("MESH_FUZZ_INPUTS"), NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 20_000;

    private static readonly string[] Heads =
    [
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 12\r\nServer: uvicorn\r\n\r\n{\"a\":\"bcde\"}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, X-Hop\r\nX-Hop: 1\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nconnection: close\r\n\r\n",
        "HTTP/1.0 204 No Content\r\nDate: x\r\n\r\n",
    ];

    private static readonly string[] Bodies =
    [
        "5\r\nhello\r\n0\r\n\r\n",
        "1a;ext=\"x\"\r\nabcdefghijklmnopqrstuvwxyz\r\n3\r\n\r\n\n\r\n0\r\nTrailer: v\r\n\r\n",
        "FF\r\nshort",
    ];

    private static readonly byte[] Likely = "\r\n\r\n:;, \t\00123456789abcdefABCDEFHTP/."u8.ToArray();

    [Fact]
    public void HeadParser_MutatedHeads_NeverReadsBeyond_AndTakesTheSameHeadWhateverFollows()
    {
        for (var seed = 1; seed <= Inputs; seed++)
        {
            var random = new Xoshiro256((ulong)seed);
            var bytes = Mutate(Heads, random);
            var status = HeadParser.TryParse(bytes, hasNoBody: false, out var head);
            if (status != HeadStatus.Complete) continue;
            Assert.True(head.Length <= bytes.Length, $"seed {seed}");
            var own = bytes.AsSpan(0, head.Length);
            Assert.True(own.EndsWith("\r\n\r\n"u8) && own.Count((byte)'\n') == own.Count("\r\n"u8) && own.Count((byte)'\r') == own.Count("\r\n"u8), $"seed {seed}: a line end of its own");
            Assert.True(HeadParser.TryParse(own, hasNoBody: false, out var alone) == HeadStatus.Complete && alone.Equals(head), $"seed {seed}: depends on what follows");
            Assert.True(HeadParser.TryParse(own[..^1], hasNoBody: false, out _) == HeadStatus.Incomplete, $"seed {seed}: complete too early");
            Assert.True(head.Status is >= 100 and <= 999 and not 101, $"seed {seed}");
            var rest = HeadParser.Headers(own);
            var length = 0;
            while (HeadParser.TryNext(ref rest, out var name, out var value))
            {
                Assert.True(name.Length > 0 && !value.ContainsAny((byte)'\r', (byte)'\n', (byte)0), $"seed {seed}: a value that ends a line");
                length++;
            }

            Assert.True(length <= HeadParser.MaxHeaders && rest.Length == 2, $"seed {seed}: headers left over");
        }
    }

    [Fact]
    public void ChunkedDecoder_MutatedBodies_GivesTheSameHoweverCut()
    {
        for (var seed = 1; seed <= Inputs; seed++)
        {
            var random = new Xoshiro256((ulong)seed);
            var bytes = Mutate(Bodies, random);
            var whole = ChunkedDecoderTests.Decode(bytes, bytes.Length + 1);
            var cut = ChunkedDecoderTests.Decode(bytes, 1 + (int)(random.NextUInt64() % 7));
            Assert.True(whole == cut, $"seed {seed}: {whole} and {cut}");
            Assert.True(whole.Used <= bytes.Length && whole.Data.Length <= whole.Used, $"seed {seed}");
        }
    }

    [Fact]
    public void ChunkedDecoder_EncodedBodies_ComeBack()
    {
        for (var seed = 1; seed <= Inputs / 10; seed++)
        {
            var random = new Xoshiro256((ulong)seed);
            var body = new StringBuilder();
            var wire = new StringBuilder();
            for (var chunks = random.NextUInt64() % 6; chunks > 0; chunks--)
            {
                var text = new string((char)(random.NextUInt64() % '~'), 1 + (int)(random.NextUInt64() % 600));
                body.Append(text);
                wire.Append(CultureInfo.InvariantCulture, $"{text.Length:x}\r\n{text}\r\n");
            }

            wire.Append("0\r\n\r\n");
            var decoded = ChunkedDecoderTests.Decode(Encoding.Latin1.GetBytes(wire.ToString()), 1 + (int)(random.NextUInt64() % 300));
            Assert.True(decoded == (body.ToString(), wire.Length, "done"), $"seed {seed}");
        }
    }

    /// <summary>A valid text with a few bytes changed, put in, taken out or repeated.</summary>
    internal static byte[] Mutate(string[] corpus, Xoshiro256 random)
    {
        var bytes = new List<byte>(Encoding.Latin1.GetBytes(corpus[random.NextUInt64() % (ulong)corpus.Length]));
        for (var edits = random.NextUInt64() % 5; edits > 0 && bytes.Count > 0; edits--)
        {
            var at = (int)(random.NextUInt64() % (ulong)bytes.Count);
            var b = random.NextUInt64() % 2 == 0 ? Likely[random.NextUInt64() % (ulong)Likely.Length] : (byte)random.NextUInt64();
            switch (random.NextUInt64() % 5)
            {
                case 0:
                    bytes[at] = b;
                    break;
                case 1:
                    bytes.Insert(at, b);
                    break;
                case 2:
                    bytes.RemoveAt(at);
                    break;
                case 3:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
                default:
                    var count = Math.Min(bytes.Count - at, 1 + (int)(random.NextUInt64() % 40));
                    bytes.InsertRange(at, bytes.GetRange(at, count));
                    break;
            }
        }

        return [.. bytes];
    }
}
