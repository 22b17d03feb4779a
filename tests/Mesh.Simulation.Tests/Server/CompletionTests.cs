using System.Net;
using System.Text.Json;

namespace Mesh.Simulation.Tests.Server;

public class CompletionTests
{
    private const string Curl = """{"model":"food-review-1","prompt":"What is the best pizza in the world?","max_tokens":100,"temperature":0}""";

    [Fact]
    public async Task Completion_TheQuickStartsCurl_AnswersWithItsFields()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/completions", Curl);
        Assert.StartsWith("cmpl-", answer.GetProperty("id").GetString());
        Assert.Equal("text_completion", answer.GetProperty("object").GetString());
        Assert.Equal("food-review-1", answer.GetProperty("model").GetString());
        Assert.True(answer.GetProperty("created").GetInt64() > 1_700_000_000);
        var choice = Assert.Single(answer.GetProperty("choices").EnumerateArray());
        Assert.Equal(0, choice.GetProperty("index").GetInt32());
        Assert.Equal(JsonValueKind.Null, choice.GetProperty("logprobs").ValueKind);
        Assert.Equal("length", choice.GetProperty("finish_reason").GetString());
        Assert.True(choice.GetProperty("text").GetString()!.Length > 300);
        Assert.Equal((10, 100, 110), Usage(answer));
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.CompletedRequests == 1));
        Assert.Equal((0, 0), (fixture.Server.RunningRequests, fixture.Server.WaitingRequests));
    }

    [Fact]
    public async Task Completion_TemperatureZero_GivesTheSameTextEachTime()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var first = Text(await fixture.PostJsonAsync("/v1/completions", Curl));
        Assert.Equal(first, Text(await fixture.PostJsonAsync("/v1/completions", Curl)));
        var warm = Curl.Replace("\"temperature\":0", "\"temperature\":1");
        Assert.NotEqual(Text(await fixture.PostJsonAsync("/v1/completions", warm)), Text(await fixture.PostJsonAsync("/v1/completions", warm)));
        var seeded = Curl.Replace("\"temperature\":0", "\"seed\":7");
        Assert.Equal(Text(await fixture.PostJsonAsync("/v1/completions", seeded)), Text(await fixture.PostJsonAsync("/v1/completions", seeded)));
    }

    [Fact]
    public async Task Completion_AnswersTokens_AreItsTextsTokens()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var text = Text(await fixture.PostJsonAsync("/v1/completions", Curl));
        var counted = await fixture.PostJsonAsync("/tokenize", JsonSerializer.Serialize(new { prompt = text, add_special_tokens = false }));
        Assert.Equal(100, counted.GetProperty("count").GetInt32());
        var back = await fixture.PostJsonAsync("/detokenize", $"{{\"tokens\":{counted.GetProperty("tokens").GetRawText()}}}");
        Assert.Equal(text, back.GetProperty("prompt").GetString());
    }

    [Theory]
    [InlineData("\"one\"", 1, 2)]
    [InlineData("[\"one\",\"two three\"]", 2, 5)]
    [InlineData("[5,6,7]", 1, 3)]
    [InlineData("[[5,6,7],[8]]", 2, 4)]
    public async Task Completion_EveryPromptShape_IsAnswered(string prompt, int choices, int promptTokens)
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/completions", $"{{\"prompt\":{prompt},\"max_tokens\":3}}");
        Assert.Equal(choices, answer.GetProperty("choices").GetArrayLength());
        Assert.Equal((promptTokens, 3 * choices, promptTokens + (3 * choices)), Usage(answer));
    }

    [Fact]
    public async Task Completion_SeveralAnswers_HaveTheirIndexAndOwnText()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/completions", """{"prompt":"one","n":3,"max_tokens":20,"temperature":0}""");
        var choices = answer.GetProperty("choices").EnumerateArray().ToList();
        Assert.Equal([0, 1, 2], choices.Select(c => c.GetProperty("index").GetInt32()));
        Assert.Equal(3, choices.Select(c => c.GetProperty("text").GetString()).Distinct().Count());
        Assert.Equal((2, 60, 62), Usage(answer));
    }

    [Fact]
    public async Task Completion_NoCap_GivesSixteenTokens()
    {
        await using var fixture = await ServerFixture.StartAsync();
        Assert.Equal((2, 16, 18), Usage(await fixture.PostJsonAsync("/v1/completions", """{"prompt":"one"}""")));
    }

    [Fact]
    public async Task Completion_Echo_BeginsWithThePrompt()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var answer = await fixture.PostJsonAsync("/v1/completions", """{"prompt":"one","max_tokens":2,"echo":true}""");
        Assert.StartsWith("one", Text(answer));
        var chunks = await fixture.PostStreamAsync("/v1/completions", """{"prompt":"one","max_tokens":2,"echo":true,"stream":true}""");
        Assert.StartsWith("one", Text(chunks[0]));
    }

    [Fact]
    public async Task Completion_StopString_EndsBeforeIt()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var whole = Text(await fixture.PostJsonAsync("/v1/completions", Curl));
        var stop = Curl.Replace("\"temperature\":0", "\"temperature\":0,\"stop\":[\"nowhere\",\".\"]");
        var answer = await fixture.PostJsonAsync("/v1/completions", stop);
        Assert.Equal(whole[..whole.IndexOf('.')], Text(answer));
        Assert.Equal("stop", answer.GetProperty("choices")[0].GetProperty("finish_reason").GetString());
        var chunks = await fixture.PostStreamAsync("/v1/completions", stop.Replace("\"temperature\":0", "\"temperature\":0,\"stream\":true"));
        Assert.Equal(Text(answer), string.Concat(chunks.Select(Text)));
    }

    [Fact]
    public async Task Completion_SecondIdenticalPrompt_ReportsCachedTokens()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var prompt = string.Concat(Enumerable.Repeat("one two three four ", 40)).TrimEnd();
        var body = JsonSerializer.Serialize(new { prompt, max_tokens = 1, temperature = 0 });
        Assert.Equal(0, Cached(await fixture.PostJsonAsync("/v1/completions", body)));
        Assert.Equal(160, Cached(await fixture.PostJsonAsync("/v1/completions", body)));
        Assert.Equal(0, Cached(await fixture.PostJsonAsync("/v1/completions", body.Replace("{", "{\"cache_salt\":\"x\","))));
        Assert.Equal(0, Cached(await fixture.PostJsonAsync("/v1/completions", body.Replace("{", "{\"model\":\"food-review-1\","))));
        Assert.Equal(160, await fixture.MetricAsync("vllm:prefix_cache_hits_total"));
    }

    [Fact]
    public async Task Completion_RequestId_NamesTheAnswer()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { EnableRequestIdHeaders = true });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent("""{"prompt":"one","max_tokens":1}""") };
        request.Headers.Add("X-Request-Id", "abc-1");
        using var response = await fixture.Client.SendAsync(request);
        Assert.Contains("\"cmpl-abc-1\"", await response.Content.ReadAsStringAsync());
        Assert.Equal("abc-1", response.Headers.GetValues("X-Request-Id").Single());
    }

    [Theory]
    [InlineData("TEXT", "TEXT named_metrics.kv_cache_usage_perc=0, named_metrics.num_requests_waiting=0")]
    [InlineData("json", "JSON {\"named_metrics\":{\"kv_cache_usage_perc\":0,\"num_requests_waiting\":0}}")]
    public async Task Completion_LoadReportAskedFor_ComesInThatFormat(string format, string expected)
    {
        await using var fixture = await ServerFixture.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent("""{"prompt":"one","max_tokens":1}""") };
        request.Headers.Add("endpoint-load-metrics-format", format);
        using var response = await fixture.Client.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(expected, response.Headers.GetValues("endpoint-load-metrics").Single());
    }

    private static string Text(JsonElement answer) => answer.GetProperty("choices")[0].GetProperty("text").GetString()!;

    private static int Cached(JsonElement answer) => answer.GetProperty("usage").GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32();

    private static (int Prompt, int Completion, int Total) Usage(JsonElement answer)
    {
        var usage = answer.GetProperty("usage");
        return (usage.GetProperty("prompt_tokens").GetInt32(), usage.GetProperty("completion_tokens").GetInt32(), usage.GetProperty("total_tokens").GetInt32());
    }
}
