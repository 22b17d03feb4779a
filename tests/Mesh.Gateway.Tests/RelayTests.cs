using System.Net;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class RelayTests
{
    private const string Body = """{"model":"m1","prompt":"hi","max_tokens":5}""";

    [Fact]
    public async Task Plain_PassesStatusHeadersAndBytesUnchanged()
    {
        const string Answer = """{ "object" : "text_completion" ,"x":"ü" }""";
        await using var backend = ScriptedBackend.Answering(201, Answer, "application/json; charset=utf-8", "X-Custom: a\r\nX-Custom: b\r\nKeep-Alive: timeout=5\r\n");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body, "/v1/completions?a=%20b");
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        Assert.Equal(Answer, await response.Content.ReadAsStringAsync());
        Assert.Equal("application/json; charset=utf-8", response.Content.Headers.NonValidated["Content-Type"].ToString());
        Assert.Equal(["a", "b"], response.Headers.GetValues("X-Custom"));
        Assert.False(response.Headers.Contains("Keep-Alive"));
        Assert.False(response.Headers.Contains("Server"));
        Assert.Equal(Encoding.UTF8.GetByteCount(Answer), response.Content.Headers.ContentLength);
        Assert.Equal(backend.Id.Address, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single());
        Assert.Equal(OutcomeKind.Success, gateway.Engine.Outcomes.Single().Kind);
        // Its end tells as much, and comes with it.
        Assert.Empty(gateway.Engine.FirstBytes);
        var seen = backend.Requests.Single();
        Assert.Equal("POST /v1/completions?a=%20b HTTP/1.1", seen.RequestLine);
        Assert.Equal(Body, seen.Body);
    }

    [Fact]
    public async Task Request_ControlAndCredentialHeaders_NeverReachTheModelServer()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body, edit: r =>
        {
            r.Headers.Add("Authorization", "Bearer secret");
            r.Headers.Add("x-api-key", "secret");
            r.Headers.Add("X-Gateway-Inference-Objective", "food");
            r.Headers.Add("x-llm-d-inference-fairness-id", "f1");
            r.Headers.Add("x-mesh-anything", "1");
            r.Headers.Add("X-Request-Id", "my-id-1");
            r.Headers.Add("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
            r.Headers.Add("X-Hop", "1");
            r.Headers.Add("X-Kept", "grüße");
            r.Headers.Connection.Add("X-Hop");
            r.Headers.Host = "models.example.com";
        });
        Assert.Equal("my-id-1", response.Headers.GetValues("x-request-id").Single());
        var headers = backend.Requests.Single().Headers;
        Assert.Equal(
            ["Content-Length", "Content-Type", "Host", "X-Kept", "X-Request-Id", "endpoint-load-metrics-format", "traceparent"],
            headers.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("my-id-1", headers["x-request-id"]);
        Assert.Equal("models.example.com", headers["Host"]);
        Assert.Equal("grüße", headers["X-Kept"]);
        Assert.Equal("f1", gateway.Engine.Requests.Single().FairnessId);
    }

    [Theory]
    [InlineData("with space")]
    [InlineData("")]
    public async Task RequestId_Unusable_IsReplaced(string id)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body, edit: r => r.Headers.TryAddWithoutValidation("X-Request-Id", id));
        var made = response.Headers.GetValues("x-request-id").Single();
        Assert.StartsWith("req-", made, StringComparison.Ordinal);
        Assert.Equal(made, backend.Requests.Single().Headers["X-Request-Id"]);
    }

    [Fact]
    public async Task Request_FactsReachTheRouter()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id) with { Objectives = [new ObjectiveConfig("default", "food", 10, "pool"), new ObjectiveConfig("other", "food", 3, "pool")] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"0123456789abcdef","max_tokens":77}""", edit: r =>
        {
            r.Headers.Add("x-gateway-inference-objective", "food");
            r.Headers.Add("x-gateway-inference-fairness-id", "tenant-1");
            r.Headers.Add("x-gateway-destination-endpoint-subset", $"10.0.0.1:8000, {backend.Id}");
        });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var routed = gateway.Engine.Requests.Single();
        Assert.Equal(("m1", 10, "tenant-1", 4, 77), (routed.Model, routed.Priority, routed.FairnessId, routed.PromptTokens, routed.MaxOutputTokens));
        Assert.Equal(["10.0.0.1:8000", backend.Id.Address], routed.Subset.Select(e => e.Address));
    }

    [Fact]
    public async Task Stream_EachChunkArrivesBeforeTheNextIsMade()
    {
        var next = new SemaphoreSlim(0);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            for (var i = 0; i < 5; i++)
            {
                await next.WaitAsync(x.Stop);
                await x.SendChunkAsync($"data: {{\"n\":{i}}}\n\n");
            }

            await next.WaitAsync(x.Stop);
            await x.SendChunkAsync("data: [DONE]\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        // The head comes before any chunk is made.
        using var response = await gateway.PostAsync("""{"model":"m1","messages":[],"stream":true}""", "/v1/chat/completions").WaitAsync(TimeSpan.FromSeconds(5));
        Assert.Equal("text/event-stream; charset=utf-8", response.Content.Headers.ContentType!.ToString());
        using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1024];
        for (var i = 0; i < 5; i++)
        {
            next.Release();
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(5));
            Assert.Equal($"data: {{\"n\":{i}}}\n\n", Encoding.UTF8.GetString(buffer, 0, read));
        }

        Assert.Equal(1, gateway.Engine.InFlight);
        Assert.True(gateway.Engine.Requests.Single().IsStreaming);
        next.Release();
        Assert.Equal("data: [DONE]\n\n", await new StreamReader(stream).ReadToEndAsync());
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back");
        Assert.Equal(OutcomeKind.Success, gateway.Engine.Outcomes.Single().Kind);
        Assert.Single(gateway.Engine.FirstBytes);
    }

    [Fact]
    public async Task Plain_LargeBodyAndSlowClient_ArrivesWhole()
    {
        var body = new string('y', 6 << 20);
        await using var backend = ScriptedBackend.Answering(200, body, "text/plain");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        using var stream = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[100_000];
        var total = 0;
        for (int read; (read = await stream.ReadAsync(buffer)) > 0; total += read)
        {
            if (total < 1_000_000) await Task.Delay(2);
        }

        Assert.Equal(body.Length, total);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back");
    }

    [Fact]
    public async Task Error500_PassesThroughOnce()
    {
        await using var first = ScriptedBackend.Answering(500, """{"error":{"message":"engine dead"}}""");
        await using var second = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(first, second);
        using var response = await gateway.PostAsync(Body);
        using var other = await gateway.PostAsync(Body);
        Assert.Equal([200, 500], new[] { (int)response.StatusCode, (int)other.StatusCode }.Order());
        Assert.Single(first.Requests);
        Assert.Contains(gateway.Engine.Outcomes, o => o.Kind == OutcomeKind.ServerError);
    }

    [Fact]
    public async Task Error429And400_PassUnchanged()
    {
        await using var backend = ScriptedBackend.Answering(429, """{"error":{"message":"slow down"}}""", extraHeaders: "Retry-After: 7\r\n");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(429, (int)response.StatusCode);
        Assert.Equal("7", response.Headers.GetValues("Retry-After").Single());
        Assert.False(response.Headers.Contains("x-mesh-reason"));
        Assert.Equal(OutcomeKind.Success, gateway.Engine.Outcomes.Single().Kind);
    }

    [Fact]
    public async Task Requests_Concurrent_AllAnsweredAndReturned()
    {
        await using var first = ScriptedBackend.Answering(200, "{}");
        await using var second = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(first, second);
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 32 }, async (_, _) =>
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        });
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back");
        Assert.Equal((200, 200), (first.Requests.Count, second.Requests.Count));
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }
}
