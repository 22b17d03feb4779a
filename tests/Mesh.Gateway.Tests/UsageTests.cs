using System.Text;
using Mesh.Core.Randomness;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference.Usage;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class UsageTests
{
    private const string Usage = "\"usage\":{\"prompt_tokens\":100,\"total_tokens\":107,\"completion_tokens\":7,\"prompt_tokens_details\":{\"cached_tokens\":64}}";

    [Theory]
    [InlineData("{\"choices\":[]," + Usage + "}", 100, 64, 7)]
    [InlineData("{" + Usage + ",\"prompt_logprobs\":null,\"kv_transfer_params\":null}", 100, 64, 7)]
    [InlineData("data: {\"usage\":null}\n\ndata: {\"choices\":[]," + Usage + "}\n\ndata: [DONE]\n\n", 100, 64, 7)]
    [InlineData("data: {" + Usage + "}\n\ndata: {\"usage\":null}\n\ndata: [DONE]\n\n", 100, 64, 7)]
    [InlineData("{\"usage\" : { \"completion_tokens\" : 3 , \"prompt_tokens\" : 2, \"prompt_tokens_details\" : null } }", 2, 0, 3)]
    [InlineData("{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":99999999999,\"x\":{\"prompt_tokens\":5}}}", 0, 0, 0)]
    [InlineData("{\"text\":\"\\\"usage\\\":{\\\"prompt_tokens\\\":5}\"}", 0, 0, 0)]
    [InlineData("{\"usage\":{\"prompt_tokens\":5", 0, 0, 0)]
    [InlineData("{\"usage\":[5],\"usage\":}", 0, 0, 0)]
    [InlineData("{\"usage\":{\"input_tokens\":9,\"input_tokens_details\":{\"cached_tokens\":4},\"output_tokens\":3,\"output_tokens_details\":{\"reasoning_tokens\":1},\"total_tokens\":12},\"user\":null}", 9, 4, 3)]
    [InlineData("{\"usage\":{\"input_tokens\":5,\"output_tokens\":3,\"cache_creation_input_tokens\":1,\"cache_read_input_tokens\":16}}", 22, 16, 3)]
    [InlineData("{\"usage\":{\"prompt_tokens\":8,\"total_tokens\":8,\"completion_tokens\":0,\"prompt_tokens_details\":null}}", 8, 0, 0)]
    [InlineData("{\"id\":\"r\",\"usage\":{\"total_tokens\":56},\"results\":[]}", 56, 0, 0)]
    [InlineData("{\"usage\":{\"type\":\"duration\",\"seconds\":7}}", 0, 0, 0)]
    [InlineData("\"usage\"", 0, 0, 0)]
    [InlineData("", 0, 0, 0)]
    public void Read_Tail_FindsTheLastUsage(string tail, int prompt, int cached, int output) =>
        Assert.Equal(new TokenUsage(prompt, cached, output) { IsCachedKnown = tail.Contains("cache", StringComparison.Ordinal) }, UsageReader.Read(Encoding.UTF8.GetBytes(tail)));

    [Fact]
    public void Tail_AnyPieces_KeepsTheLastBytes()
    {
        const ulong Seed = 20260303;
        var random = new Xoshiro256(Seed);
        var kept = new byte[TailBuffer.Bytes];
        for (var round = 0; round < 200; round++)
        {
            using var tail = new TailBuffer();
            var all = new List<byte>();
            for (int i = 0, n = random.NextInt32(12); i < n; i++)
            {
                var piece = new byte[random.NextInt32(i % 4 == 0 ? 2100 : 300)];
                for (var k = 0; k < piece.Length; k++) piece[k] = (byte)random.NextInt32(256);
                tail.Append(piece);
                all.AddRange(piece);
            }

            Assert.Equal(all.TakeLast(TailBuffer.Bytes), kept[..tail.CopyTo(kept)]);
        }
    }

    [Fact]
    public void Tail_Warm_AllocatesNothing()
    {
        var tail = new TailBuffer();
        var chunk = new byte[200];
        tail.Append(chunk);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 1000; i++) tail.Append(chunk);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        tail.Dispose();
    }

    [Fact]
    public async Task Plain_UsageReachesTheEngine()
    {
        await using var backend = ScriptedBackend.Answering(200, $"{{\"text\":\"{new string('x', 5000)}\",{Usage}}}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi"}""");
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0 && !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success, 100, 64, 7), gateway.Engine.Reports.Single());
    }

    [Fact]
    public async Task Stream_UsageOfTheLastChunkReachesTheEngine()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            for (var i = 0; i < 50; i++) await x.SendChunkAsync($"data: {{\"n\":{i},\"usage\":null}}\n\n");
            await x.SendChunkAsync("data: {\"choices\":[],");
            await x.SendChunkAsync(Usage + "}\n\n");
            await x.SendChunkAsync("data: [DONE]\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi","stream":true,"stream_options":{"include_usage":true}}""");
        await Eventually.TrueAsync(() => !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success, 100, 64, 7), gateway.Engine.Reports.Single());
    }

    [Fact]
    public async Task Rerank_UsageBeforeALongBody_ReachesTheEngine()
    {
        await using var backend = ScriptedBackend.Answering(200, "{\"id\":\"r\",\"usage\":{\"total_tokens\":56},\"results\":[\"" + new string('x', 5000) + "\"]}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","query":"hi","documents":["a"]}""", "/v1/rerank");
        await Eventually.TrueAsync(() => !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success, 56), gateway.Engine.Reports.Single());
    }

    [Fact]
    public async Task Messages_UsageOfStartAndEnd_AreOne()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":4,\"cache_read_input_tokens\":16,\"output_tokens\":0}}}\n\n");
            await Task.Delay(20);
            await x.SendChunkAsync(": " + new string('x', 3000) + "\n\n");
            await x.SendChunkAsync("event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":7}}\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","max_tokens":9,"stream":true,"messages":[]}""", "/v1/messages");
        await Eventually.TrueAsync(() => !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success, 20, 16, 7), gateway.Engine.Reports.Single());
    }

    [Fact]
    public async Task Answer_WithoutUsage_LeavesItUnknown()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi"}""");
        await Eventually.TrueAsync(() => !gateway.Engine.Reports.IsEmpty, "the lease comes back");
        Assert.Equal(new RequestOutcome(OutcomeKind.Success), gateway.Engine.Reports.Single());
    }
}
