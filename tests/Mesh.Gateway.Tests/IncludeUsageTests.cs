using System.Text;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>The usage of a stream: asked for where the client did not, and withheld then, to the byte.</summary>
public sealed class IncludeUsageTests
{
    private const string Head = "\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m1\"";
    private const string Token = "data: {" + Head + ",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\\\"choices\\\":[] \"}}]}\n\n";
    private const string UsageChunk = "data: {" + Head + ",\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"total_tokens\":12,\"completion_tokens\":3}}\n\n";
    private const string Done = "data: [DONE]\n\n";

    [Theory]
    [InlineData("""{"model":"m1","stream":true}""", """{"stream_options":{"include_usage":true},"model":"m1","stream":true}""")]
    [InlineData("""{"stream":true,"stream_options":null,"model":"m1"}""", """{"stream":true,"stream_options":{"include_usage":true},"model":"m1"}""")]
    [InlineData("""{"stream":true,"stream_options":{},"model":"m1"}""", """{"stream":true,"stream_options":{"include_usage":true},"model":"m1"}""")]
    [InlineData("""{"stream":true,"stream_options":{ "x":1},"model":"m1"}""", """{"stream":true,"stream_options":{"include_usage":true, "x":1},"model":"m1"}""")]
    [InlineData("""{"stream":true,"stream_options":{"include_usage": false},"model":"m1"}""", """{"stream":true,"stream_options":{"include_usage": true},"model":"m1"}""")]
    [InlineData("""{"stream":true,"stream_options":{"include_usage":null},"model":"m1"}""", """{"stream":true,"stream_options":{"include_usage":true},"model":"m1"}""")]
    [InlineData("""{"stream":true,"stream_options":{"include_usage":true},"model":"m1"}""", null)]
    [InlineData("""{"stream":true,"stream_options":{"include_usage":false,"continuous_usage_stats":true},"model":"m1"}""", null)]
    [InlineData("""{"stream":true,"stream_options":7,"model":"m1"}""", null)]
    [InlineData("""{"stream":false,"model":"m1"}""", null)]
    public async Task Body_AsksForUsage_WhereTheClientDidNot(string body, string? sent)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        foreach (var path in new[] { "/v1/chat/completions", "/v1/completions" })
        {
            using var response = await gateway.PostAsync(body, path);
            Assert.Equal(sent ?? body, backend.Requests.Last().Body);
        }

        // Others have no such option, or give their usage without.
        using var other = await gateway.PostAsync(body, "/v1/messages");
        Assert.Equal(body, backend.Requests.Last().Body);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData(",\"stream_options\":{\"include_usage\":false}", true)]
    [InlineData(",\"stream_options\":{\"include_usage\":true}", false)]
    public async Task Stream_TheExtraChunkIsWithheld_AndStillCounted(string options, bool withheld)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync(Token + Token[..30]);
            await x.SendChunkAsync(Token[30..] + UsageChunk[..70]);
            await x.SendChunkAsync(UsageChunk[70..] + Done);
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync($"{{\"model\":\"m1\",\"stream\":true{options},\"messages\":[]}}", "/v1/chat/completions");
        Assert.Equal(Token + Token + (withheld ? "" : UsageChunk) + Done, await response.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(() => !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success, 9, null, 3), gateway.Engine.Reports.Single());
    }

    [Theory]
    [InlineData(UsageChunk + Done, Done)]
    [InlineData("data: {\"choices\" : [ ] , \"usage\" : {}}\r\n\r\n" + Done, Done)]
    [InlineData("data: {\"usage\":{},\"choices\":[]}\n\nrest", "rest")]
    [InlineData("data: {\"choices\":[]}\n\n", "data: {\"choices\":[]}\n\n")]
    [InlineData("data: {\"choices\":[],\"usage\":null}\n\n", "data: {\"choices\":[],\"usage\":null}\n\n")]
    [InlineData("data: {\"model\":\"choices\",\"choices\":[],\"usage\":{}}\n\n", "")]
    [InlineData("event: x\ndata: {\"choices\":[],\"usage\":{}}\n\n", "event: x\ndata: {\"choices\":[],\"usage\":{}}\n\n")]
    [InlineData(": ping\n\n" + UsageChunk + ": pong\n\n", ": ping\n\n: pong\n\n")]
    [InlineData("data: {\"error\":{\"message\":\"x\"}}\n\n", "data: {\"error\":{\"message\":\"x\"}}\n\n")]
    [InlineData("\n\n\r\n\n", "\n\n\r\n\n")]
    [InlineData("data: {\"choices\":[],\"usage\":{\"a\":1}", "data: {\"choices\":[],\"usage\":{\"a\":1}")]
    [InlineData("dat", "dat")]
    public void Filter_InAnyPieces_DropsThatEventAlone(string stream, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(stream);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal(expected, Pass([bytes[..cut], bytes[cut..]]));
        Assert.Equal(expected, Pass([.. bytes.Select(b => new[] { b })]));
    }

    [Fact]
    public void Filter_RandomStreamsInRandomPieces_AreExact()
    {
        const ulong Seed = 20260601;
        var random = new Xoshiro256(Seed);
        string[] events = [Token, UsageChunk, ": ping\n\n", "event: a\ndata: b\ndata: c\n\n", "data: {\"choices\":[]}\n\n", "data: " + new string('x', 3000) + "\r\n\r\n", "\n", UsageChunk + UsageChunk];
        for (var round = 0; round < 2000; round++)
        {
            var chosen = Enumerable.Range(0, random.NextInt32(10)).Select(_ => events[random.NextInt32(events.Length)]).ToArray();
            var bytes = Encoding.UTF8.GetBytes(string.Concat(chosen));
            var pieces = new List<byte[]>();
            for (var at = 0; at < bytes.Length;)
            {
                var length = Math.Min(bytes.Length - at, 1 + random.NextInt32(round % 2 == 0 ? 20 : 4000));
                pieces.Add(bytes[at..(at + length)]);
                at += length;
            }

            Assert.True(string.Concat(chosen).Replace(UsageChunk, "", StringComparison.Ordinal) == Pass([.. pieces]), $"seed {Seed}, round {round}");
        }
    }

    [Fact]
    public void Filter_EventWithoutEnd_PassesOnceItIsTooLong()
    {
        using var filter = new UsageWithholder();
        var piece = Encoding.UTF8.GetBytes("data: {\"choices\":[]," + new string(' ', 1000));
        var passed = 0;
        for (var i = 0; i < 100; i++) passed += filter.Filter(i == 0 ? piece : new byte[1000]).Length;
        Assert.Equal(piece.Length + 99_000, passed);
    }

    [Fact]
    public void Filter_Chunks_AllocateNothing()
    {
        using var filter = new UsageWithholder();
        var chunk = Encoding.UTF8.GetBytes(Token);
        ReadOnlyMemory<byte> left = chunk.AsMemory(0, 40), right = chunk.AsMemory(40);
        filter.Filter(left);
        filter.Filter(right);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++)
        {
            filter.Filter(chunk);
            filter.Filter(left);
            filter.Filter(right);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static string Pass(byte[][] pieces)
    {
        using var filter = new UsageWithholder();
        var output = new List<byte>();
        foreach (var piece in pieces) output.AddRange(filter.Filter(piece).ToArray());
        output.AddRange(filter.End().ToArray());
        return Encoding.UTF8.GetString([.. output]);
    }
}
