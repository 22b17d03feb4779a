using System.Net;
using System.Text.Json;

namespace Mesh.Simulation.Tests.Server.Apis;

public sealed class ApiTests
{
    private const string Tools = """[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer"}}}}}]""";

    [Fact]
    public async Task Embeddings_SameText_SameVector_AndUsage()
    {
        await using var server = await ServerFixture.StartAsync();
        var a = await server.PostJsonAsync("/v1/embeddings", """{"model":"llama","input":["one pizza","one pizza","two"],"dimensions":4}""");
        var data = a.GetProperty("data");
        Assert.Equal(3, data.GetArrayLength());
        Assert.Equal(data[0].GetProperty("embedding").GetRawText(), data[1].GetProperty("embedding").GetRawText());
        Assert.NotEqual(data[0].GetProperty("embedding").GetRawText(), data[2].GetProperty("embedding").GetRawText());
        Assert.Equal(1, data[0].GetProperty("embedding").EnumerateArray().Sum(v => v.GetDouble() * v.GetDouble()), 4);
        Assert.True(a.GetProperty("usage").GetProperty("prompt_tokens").GetInt32() >= 3);
        var b = await server.PostJsonAsync("/v1/embeddings", """{"model":"llama","input":"two","dimensions":4,"encoding_format":"base64"}""");
        Assert.Equal(16, Convert.FromBase64String(b.GetProperty("data")[0].GetProperty("embedding").GetString()!).Length);
    }

    [Theory]
    [InlineData("/rerank")]
    [InlineData("/v1/rerank")]
    [InlineData("/v2/rerank")]
    public async Task Rerank_BestFirst_TopN(string path)
    {
        await using var server = await ServerFixture.StartAsync();
        var answer = await server.PostJsonAsync(path, """{"model":"llama","query":"best pizza","documents":["cars","the best pizza","a pizza"],"top_n":2}""");
        Assert.Equal([1, 2], answer.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("index").GetInt32()));
    }

    [Theory]
    [InlineData("/score", """{"model":"llama","text_1":"a pizza","text_2":["a pizza","cars"]}""", "score")]
    [InlineData("/v1/score", """{"model":"llama","text_1":"a pizza","text_2":["a pizza","cars"]}""", "score")]
    [InlineData("/pooling", """{"model":"llama","input":["a","b"]}""", "data")]
    [InlineData("/classify", """{"model":"llama","input":["a","b"]}""", "probs")]
    public async Task Pooling_OneEntryForEachText(string path, string body, string field)
    {
        await using var server = await ServerFixture.StartAsync();
        var data = (await server.PostJsonAsync(path, body)).GetProperty("data");
        Assert.Equal(2, data.GetArrayLength());
        Assert.All(data.EnumerateArray(), d => Assert.True(d.TryGetProperty(field, out _)));
    }

    [Fact]
    public async Task Chat_WithTools_CallsTheFirst_UntilItHasAResult()
    {
        await using var server = await ServerFixture.StartAsync();
        var call = await server.PostJsonAsync("/v1/chat/completions", $$"""{"model":"llama","tools":{{Tools}},"messages":[{"role":"user","content":"hi"}]}""");
        var choice = call.GetProperty("choices")[0];
        Assert.Equal("tool_calls", choice.GetProperty("finish_reason").GetString());
        var function = choice.GetProperty("message").GetProperty("tool_calls")[0].GetProperty("function");
        Assert.Equal(("f", """{"city":"Naples","n":1}"""), (function.GetProperty("name").GetString(), function.GetProperty("arguments").GetString()));

        var text = await server.PostJsonAsync("/v1/chat/completions", $$"""{"model":"llama","max_tokens":5,"tools":{{Tools}},"messages":[{"role":"user","content":"hi"},{"role":"tool","content":"5"}]}""");
        Assert.NotEmpty(text.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!);
    }

    [Fact]
    public async Task Messages_WholeAndStream_SameText()
    {
        await using var server = await ServerFixture.StartAsync();
        const string Ask = "\"model\":\"llama\",\"max_tokens\":6,\"temperature\":0,\"system\":\"Be brief.\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}]}]";
        var whole = await server.PostJsonAsync("/v1/messages", $"{{{Ask}}}");
        Assert.Equal(("message", "max_tokens", 6), (whole.GetProperty("type").GetString(), whole.GetProperty("stop_reason").GetString(), whole.GetProperty("usage").GetProperty("output_tokens").GetInt32()));
        using var response = await server.PostAsync("/v1/messages", $"{{{Ask},\"stream\":true}}");
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("event: message_start\n", events[0], StringComparison.Ordinal);
        Assert.StartsWith("event: message_stop\n", events[^1], StringComparison.Ordinal);
        var text = string.Concat(events.Where(e => e.StartsWith("event: content_block_delta", StringComparison.Ordinal))
            .Select(e => JsonDocument.Parse(e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..]).RootElement.GetProperty("delta").GetProperty("text").GetString()));
        Assert.Equal(whole.GetProperty("content")[0].GetProperty("text").GetString(), text);
        var count = await server.PostJsonAsync("/v1/messages/count_tokens", $"{{{Ask}}}");
        Assert.True(count.GetProperty("input_tokens").GetInt32() > 5);
    }

    [Fact]
    public async Task Messages_Error_HasAnthropicsShape()
    {
        await using var server = await ServerFixture.StartAsync();
        var error = await server.PostJsonAsync("/v1/messages", """{"model":"nope","max_tokens":1,"messages":[]}""", HttpStatusCode.NotFound);
        Assert.Equal("error", error.GetProperty("type").GetString());
        Assert.Contains("nope", error.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Responses_AreKept_AndGoOn()
    {
        await using var server = await ServerFixture.StartAsync();
        var first = await server.PostJsonAsync("/v1/responses", """{"model":"llama","input":"hi","max_output_tokens":4,"request_id":"resp_mine"}""");
        Assert.Equal(("resp_mine", "incomplete"), (first.GetProperty("id").GetString(), first.GetProperty("status").GetString()));
        var kept = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/responses/resp_mine")).RootElement;
        Assert.Equal(first.GetProperty("output").GetRawText(), kept.GetProperty("output").GetRawText());
        var next = await server.PostJsonAsync("/v1/responses", """{"model":"llama","input":"more","max_output_tokens":4,"previous_response_id":"resp_mine"}""");
        Assert.True(next.GetProperty("usage").GetProperty("input_tokens").GetInt32() > first.GetProperty("usage").GetProperty("input_tokens").GetInt32());
        await server.PostJsonAsync("/v1/responses", """{"model":"llama","input":"more","previous_response_id":"resp_other"}""", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Responses_InTheBackground_CanBeCancelled()
    {
        await using var server = await ServerFixture.StartAsync();
        var begun = await server.PostJsonAsync("/v1/responses", """{"model":"llama","input":"hi","max_output_tokens":4000,"background":true}""");
        Assert.Equal("queued", begun.GetProperty("status").GetString());
        var cancelled = await server.PostJsonAsync($"/v1/responses/{begun.GetProperty("id").GetString()}/cancel", "{}");
        Assert.Equal("cancelled", cancelled.GetProperty("status").GetString());
        Assert.True(await ServerFixture.EventuallyAsync(() => server.Server.RunningRequests == 0));
    }

    [Fact]
    public async Task Responses_Stream_CountsItsEvents()
    {
        await using var server = await ServerFixture.StartAsync();
        using var response = await server.PostAsync("/v1/responses", """{"model":"llama","input":"hi","max_output_tokens":4,"stream":true}""");
        var events = (await response.Content.ReadAsStringAsync()).Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        var numbers = events.Select(e => JsonDocument.Parse(e[(e.IndexOf("data: ", StringComparison.Ordinal) + 6)..]).RootElement.GetProperty("sequence_number").GetInt32());
        Assert.Equal(Enumerable.Range(0, events.Length), numbers);
        Assert.StartsWith("event: response.incomplete\n", events[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Audio_TextForSound_AndSoundForText()
    {
        await using var server = await ServerFixture.StartAsync();
        using var form = new MultipartFormDataContent { { new StringContent("llama"), "model" }, { new ByteArrayContent(new byte[40_000]), "file", "a.wav" } };
        using var heard = await server.Client.PostAsync("/v1/audio/transcriptions", form);
        Assert.Equal("la pizza la pizza", JsonDocument.Parse(await heard.Content.ReadAsStringAsync()).RootElement.GetProperty("text").GetString());
        using var spoken = await server.PostAsync("/v1/audio/speech", """{"model":"llama","input":"Hello, world","voice":"x"}""");
        Assert.Equal("audio/wav", spoken.Content.Headers.ContentType!.MediaType);
        Assert.Equal("RIFF"u8.ToArray(), (await spoken.Content.ReadAsByteArrayAsync())[..4]);
    }
}
