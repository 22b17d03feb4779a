using System.Net;
using System.Text.Json;

namespace Mesh.Simulation.Tests.Server;

public class ChatTests
{
    [Fact]
    public async Task Chat_Plain_AnswersWithAMessage()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/chat/completions", """{"model":"llama","messages":[{"role":"user","content":"hello"}],"max_completion_tokens":12}""");
        Assert.StartsWith("chatcmpl-", answer.GetProperty("id").GetString());
        Assert.Equal("chat.completion", answer.GetProperty("object").GetString());
        var choice = answer.GetProperty("choices")[0];
        Assert.Equal("assistant", choice.GetProperty("message").GetProperty("role").GetString());
        Assert.NotEmpty(choice.GetProperty("message").GetProperty("content").GetString()!);
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.Equal(12, answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32());
    }

    [Fact]
    public async Task Chat_NoCap_EndsByItself()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":[{"type":"text","text":"hello"}]}]}""");
        Assert.Equal("stop", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.InRange(answer.GetProperty("usage").GetProperty("completion_tokens").GetInt32(), 48, 303);
    }

    [Fact]
    public async Task Chat_Stream_SendsRoleThenOneChunkPerTokenThenUsage()
    {
        await using var fixture = await ServerFixture.StartAsync();
        const string body = """{"messages":[{"role":"user","content":"hello"}],"max_tokens":5,"temperature":0,"stream":true,"stream_options":{"include_usage":true}}""";
        var chunks = await fixture.PostStreamAsync("/v1/chat/completions", body);
        Assert.Equal(1 + 5 + 1, chunks.Count);
        Assert.All(chunks, c => Assert.Equal("chat.completion.chunk", c.GetProperty("object").GetString()));
        Assert.Equal("assistant", Delta(chunks[0]).GetProperty("role").GetString());
        Assert.All(chunks[1..5], c => Assert.Equal(JsonValueKind.Null, c.GetProperty("choices")[0].GetProperty("finish_reason").ValueKind));
        Assert.Equal("length", chunks[5].GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        Assert.Equal(0, chunks[6].GetProperty("choices").GetArrayLength());
        Assert.Equal(5, chunks[6].GetProperty("usage").GetProperty("completion_tokens").GetInt32());

        var plain = await fixture.PostJsonAsync("/v1/chat/completions", """{"messages":[{"role":"user","content":"hello"}],"max_tokens":5,"temperature":0}""");
        Assert.Equal(
            plain.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString(),
            string.Concat(chunks[..6].Select(c => Delta(c).GetProperty("content").GetString())));
    }

    [Fact]
    public async Task Chat_NextTurn_FindsTheFirstOnesBlocks()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var question = new { role = "user", content = "Tell me a long story about the best pizza in the world." };
        var first = await fixture.PostJsonAsync("/v1/chat/completions", JsonSerializer.Serialize(new { messages = new[] { question }, max_tokens = 100 }));
        var said = first.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
        var second = await fixture.PostJsonAsync("/v1/chat/completions", JsonSerializer.Serialize(new
        {
            messages = new[] { question, new { role = "assistant", content = said }, new { role = "user", content = "Go on." } },
            max_tokens = 1,
        }));
        var known = first.GetProperty("usage").GetProperty("total_tokens").GetInt32() - 1;
        Assert.Equal(known / 16 * 16, second.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"messages":[]}""")]
    [InlineData("""{"messages":[{"content":"x"}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":5}]}""")]
    [InlineData("""{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]}""")]
    public async Task Chat_BadMessages_AreRefused(string body)
    {
        await using var fixture = await ServerFixture.StartAsync();
        var error = (await fixture.PostJsonAsync("/v1/chat/completions", body, HttpStatusCode.BadRequest)).GetProperty("error");
        Assert.Equal("messages", error.GetProperty("param").GetString());
    }

    private static JsonElement Delta(JsonElement chunk) => chunk.GetProperty("choices")[0].GetProperty("delta");
}
