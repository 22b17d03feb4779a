using System.Text;
using Mesh.Engine.Http.Pages;
using Mesh.Engine.Tests.KvEvents;
using Xunit.Abstractions;

namespace Mesh.Engine.Tests.Http.Pages;

public sealed class ResponseDecoderFuzzTests(ITestOutputHelper output)
{
    private const ulong Seed = 20261122;
    private const int Inputs = 200_000;
    private const int MaxBody = 64;

    [Fact]
    public void Decode_ManyDamagedResponses_NeverThrowsAndDoesNotDependOnTheCuts()
    {
        var mutator = new ByteMutator(Seed, [.. new[]
        {
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1b;x=y\r\nabcdefghijklmnopqrstuvwxyz.\r\n0\r\nT: x\r\n\r\n",
            "HTTP/1.0 200 OK\nContent-Type: text/plain\n\nto the end of the connection",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 503 Busy\r\nContent-Length: 40\r\nConnection: close\r\n\r\n0123456789012345678901234567890123456789",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n",
        }.Select(Encoding.Latin1.GetBytes)], 256);
        var decoder = new ResponseDecoder(MaxBody);
        var counts = new int[5];
        for (var i = 0; i < Inputs; i++)
        {
            var input = mutator.Next();
            var whole = DecodedResponse.Of(decoder, input, () => int.MaxValue);
            var pieces = DecodedResponse.Of(decoder, input, () => 1 + mutator.Random.NextInt32(12));

            // Whether anything comes behind the response shows only when it comes at once: that alone may differ.
            if (whole with { CanReuse = false } != pieces with { CanReuse = false } || whole.Body.Length > MaxBody)
                Assert.Fail($"seed {Seed}, input {i}: {Encoding.Latin1.GetString(input)}\n{whole}\n{pieces}");
            counts[whole.Result is { } result ? (int)result : 4]++;
        }

        output.WriteLine($"seed {Seed}: {counts[(int)DecodeResult.Done]} done, {counts[(int)DecodeResult.Malformed]} malformed, {counts[(int)DecodeResult.TooLarge]} too large, {counts[4]} cut");
        Assert.True(counts[(int)DecodeResult.Done] > Inputs / 10 && counts[(int)DecodeResult.Malformed] > Inputs / 10 && counts[4] > Inputs / 20);
    }
}
