using System.Net;
using System.Net.Http.Headers;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.Tests.Server;

public class ErrorTests
{
    [Theory]
    [InlineData("""{"model":"nobody","prompt":"x"}""", 404, "NotFoundError", "model")]
    [InlineData("""{"prompt":"x","max_tokens":0}""", 400, "BadRequestError", "max_tokens")]
    [InlineData("""{"prompt":"x","max_tokens":"many"}""", 400, "BadRequestError", "max_tokens")]
    [InlineData("""{"prompt":"x","n":1000}""", 400, "BadRequestError", "n")]
    [InlineData("""{"prompt":"x","max_tokens":8192}""", 400, "BadRequestError", "prompt")]
    [InlineData("""{"prompt":"x","priority":3}""", 400, "BadRequestError", "priority")]
    [InlineData("""{"prompt":"x","stream":"yes"}""", 400, "BadRequestError", "stream")]
    [InlineData("""{"prompt":"x","stream_options":{"include_usage":true}}""", 400, "BadRequestError", "stream_options")]
    [InlineData("""{"prompt":[]}""", 400, "BadRequestError", "prompt")]
    [InlineData("""{"prompt":[1,"x"]}""", 400, "BadRequestError", "prompt")]
    [InlineData("""{"prompt":[-1]}""", 400, "BadRequestError", "prompt")]
    [InlineData("""{"model":"llama"}""", 400, "BadRequestError", "prompt")]
    [InlineData("""{"model":"llama",""", 400, "BadRequestError", null)]
    [InlineData("[]", 400, "BadRequestError", null)]
    [InlineData("", 400, "BadRequestError", null)]
    public async Task Completion_Mistake_GetsTheErrorObject(string body, int status, string type, string? param)
    {
        await using var fixture = await ServerFixture.StartAsync();
        var error = (await fixture.PostJsonAsync("/v1/completions", body, (HttpStatusCode)status)).GetProperty("error");
        Assert.Equal(status, error.GetProperty("code").GetInt32());
        Assert.Equal(type, error.GetProperty("type").GetString());
        Assert.Equal(param, error.GetProperty("param").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Completion_BadJson_NamesThePlace()
    {
        await using var fixture = await ServerFixture.StartAsync();
        var error = (await fixture.PostJsonAsync("/v1/completions", "{\n\"a\":,}", HttpStatusCode.BadRequest)).GetProperty("error");
        Assert.Equal("The body is not JSON: line 2, byte 5.", error.GetProperty("message").GetString());
    }

    [Fact]
    public async Task Completion_PromptTooLong_NamesBothLengths()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { MaxModelLen = 64 });
        var body = $"{{\"prompt\":\"{string.Concat(Enumerable.Repeat("one ", 100))}\",\"max_tokens\":5}}";
        var message = (await fixture.PostJsonAsync("/v1/completions", body, HttpStatusCode.BadRequest)).GetProperty("error").GetProperty("message").GetString();
        Assert.Contains("maximum context length is 64 tokens", message);
        Assert.Contains("102", message);
    }

    [Fact]
    public async Task Completion_QueueFull_Gets503()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1, MaxNumSeqs = 1, MaxNumQueuedRequests = 1 });
        var (running, _) = await fixture.OpenStreamAsync("""{"prompt":"a","max_tokens":4000,"stream":true}""");
        using var queued = fixture.PostAsync("/v1/completions", """{"prompt":"b","max_tokens":1}""");
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.WaitingRequests == 1));
        var error = (await fixture.PostJsonAsync("/v1/completions", """{"prompt":"c"}""", HttpStatusCode.ServiceUnavailable)).GetProperty("error");
        Assert.Equal(503, error.GetProperty("code").GetInt32());
        Assert.Equal(1, await fixture.MetricAsync("vllm:admission_rejections_total"));
        running.Dispose();
        using var late = await queued;
        Assert.Equal(HttpStatusCode.OK, late.StatusCode);
    }

    [Fact]
    public async Task AnyCall_ApiKey_GuardsTheApiOnly()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { ApiKey = "secret" });
        using var refused = await fixture.Client.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.Equal("""{"error":"Unauthorized"}""", await refused.Content.ReadAsStringAsync());
        using var refusedPost = await fixture.PostAsync("/v1/completions", """{"prompt":"x"}""");
        Assert.Equal(HttpStatusCode.Unauthorized, refusedPost.StatusCode);
        using var health = await fixture.Client.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        fixture.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        using var allowed = await fixture.Client.GetAsync("/v1/models");
        Assert.Equal(HttpStatusCode.OK, allowed.StatusCode);
    }

    [Theory]
    [InlineData("/nowhere", 404)]
    [InlineData("/v1/completions", 405)]
    [InlineData("/tokenize", 405)]
    public async Task AnyCall_UnknownPathOrMethod_GetsADetail(string path, int status)
    {
        await using var fixture = await ServerFixture.StartAsync();
        using var response = await fixture.Client.GetAsync(path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.StartsWith("{\"detail\":", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Completion_BodyTooLarge_Gets413()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { MaxRequestBodyBytes = 1000 });
        var error = await fixture.PostJsonAsync("/v1/completions", $"{{\"prompt\":\"{new string('a', 2000)}\"}}", HttpStatusCode.RequestEntityTooLarge);
        Assert.Equal(413, error.GetProperty("error").GetProperty("code").GetInt32());
    }

    [Fact]
    public async Task StartAsync_SeveralMistakes_ListsAll()
    {
        var options = new SimulatedVllmOptions { Host = "nowhere", Port = 70000, Speed = -1, Models = [new("a"), new("a"), new("b", "c")], MaxNumSeqs = 0 };
        var error = await Assert.ThrowsAsync<ArgumentException>(() => SimulatedVllmServer.StartAsync(options, CancellationToken.None));
        foreach (var part in new[] { "'nowhere'", "70000", "speed -1", "'a' is named twice", "'c'", "MaxNumSeqs" }) Assert.Contains(part, error.Message);
    }

    [Fact]
    public async Task StartAsync_PortInUse_Throws()
    {
        await using var fixture = await ServerFixture.StartAsync();
        await Assert.ThrowsAsync<IOException>(() => SimulatedVllmServer.StartAsync(ServerFixture.Options with { Port = fixture.Server.Port }, CancellationToken.None));
    }
}
