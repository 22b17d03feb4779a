using System.Net;
using System.Text.Json;

namespace Mesh.Simulation.Tests.Server;

public class InstantTests
{
    [Fact]
    public async Task Instant_Plain_AnswersForTheModelNamed()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Instant = true });
        var answer = await fixture.PostJsonAsync("/v1/completions", """{"model": "food-review-1", "prompt":"x"}""");
        Assert.Equal("food-review-1", answer.GetProperty("model").GetString());
        Assert.Equal("text_completion", answer.GetProperty("object").GetString());
        var chat = await fixture.PostJsonAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"x"}]}""");
        Assert.Equal("llama", chat.GetProperty("model").GetString());
        Assert.Equal("assistant", chat.GetProperty("choices")[0].GetProperty("message").GetProperty("role").GetString());
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.CompletedRequests == 2 && fixture.Server.RunningRequests == 0));
    }

    [Theory]
    [InlineData("\"stream\":true")]
    [InlineData("\"stream\" : true")]
    public async Task Instant_Stream_Sends128ChunksAndDone(string flag)
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Instant = true });
        var chunks = await fixture.PostStreamAsync("/v1/completions", $"{{\"model\":\"llama\",\"prompt\":\"{new string('x', 100_000)}\",{flag}}}");
        Assert.Equal(128, chunks.Count);
        Assert.Equal("length", chunks[^1].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.All(chunks[..^1], c => Assert.Equal(JsonValueKind.Null, c.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind));
    }

    [Fact]
    public async Task Instant_UnknownModel_Gets404()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Instant = true });
        var error = await fixture.PostJsonAsync("/v1/completions", """{"model":"nobody","prompt":"x"}""", HttpStatusCode.NotFound);
        Assert.Equal("NotFoundError", error.GetProperty("error").GetProperty("type").GetString());
        Assert.Equal(0, await fixture.MetricAsync("vllm:num_requests_running"));
    }
}
