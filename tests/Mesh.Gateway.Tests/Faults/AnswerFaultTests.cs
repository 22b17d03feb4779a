using System.Net;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;
using static Mesh.Gateway.Tests.Faults.FaultClient;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>Endpoints that say they cannot, or whose answer cannot be understood or never ends.</summary>
public sealed class AnswerFaultTests
{
    [Theory]
    [InlineData(502, "bad_gateway", OutcomeKind.ServerError)]
    [InlineData(503, "endpoint_full", OutcomeKind.EndpointFull)]
    [InlineData(504, "bad_gateway", OutcomeKind.ServerError)]
    public async Task Unable_AnotherEndpointAnswers(int status, string reason, OutcomeKind outcome)
    {
        await using var full = ScriptedBackend.Answering(status, """{"error":"full"}""");
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(full, good);
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await SettledAsync(gateway);
        Assert.NotEmpty(full.Requests);
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(o.Endpoint == full.Id ? outcome : OutcomeKind.Success, o.Kind));
        Assert.Equal(full.Requests.Count, gateway.Host.Metrics.Retries.With("default/pool", reason).Value);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    public async Task Full_EveryEndpoint_PassesTheirOwnAnswer(int endpoints)
    {
        var backends = Enumerable.Range(0, endpoints).Select(_ => ScriptedBackend.Answering(503, """{"error":"queue full"}""")).ToArray();
        await using var gateway = await TestGateway.StartAsync(backends);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal("""{"error":"queue full"}""", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("x-mesh-reason"));
        await SettledAsync(gateway);
        Assert.Equal(Math.Min(endpoints, 3), gateway.Engine.Outcomes.Count);
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(OutcomeKind.EndpointFull, o.Kind));
        foreach (var backend in backends) await backend.DisposeAsync();
    }

    [Fact]
    public async Task Garbage_Is502AndNotSentAgain()
    {
        await using var backend = ScriptedBackend.Start(x => x.SendAsync("SSH-2.0-OpenSSH_9.6\r\n\r\n"));
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend, good);
        var codes = new List<string?>();
        for (var i = 0; i < 2; i++)
        {
            using var response = await gateway.PostAsync(Body);
            codes.Add(response.IsSuccessStatusCode ? null : (await ErrorBody.ReadAsync(response)).Code);
        }

        Assert.Equal([null, "broken_answer"], codes.Order());
        Assert.Single(backend.Requests);
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task HeadThenReset_PlainAnswer_Is502AndNotSentAgain()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
            x.Close();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id, Configs.Dead()));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.BadGateway, "broken_answer"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
        Assert.Single(backend.Requests);
        await SettledAsync(gateway);
        Assert.Contains(gateway.Engine.Outcomes, o => o.Kind == OutcomeKind.StreamBroken);
    }

    [Fact]
    public async Task BreaksInTheMiddle_PlainAnswer_NeverLooksComplete()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            await x.SendChunkAsync("{\"half\":");
            await Task.Delay(50, x.Stop);
            x.Reset();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsStringAsync());
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.StreamBroken, gateway.Engine.Outcomes.Single().Kind);
    }

    [Theory]
    [InlineData("data: {\"n\":1}\n\n", "data: {\"n\":1}\n\n")]
    [InlineData("data: {\"n\":1}\r\n\r\n", "data: {\"n\":1}\r\n\r\n")]
    [InlineData("data: {\"n\":1}\n\ndata: {\"n", "data: {\"n\":1}\n\ndata: {\"n\n\n")]
    public async Task BreaksInTheMiddle_Stream_EndsWithAnErrorEvent(string sent, string before)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync(sent);
            await Task.Delay(30, x.Stop);
            x.Reset();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi","stream":true}""");
        var text = await response.Content.ReadAsStringAsync();
        Assert.Equal(
            before + "data: {\"error\":{\"message\":\"The model server's answer broke off.\",\"type\":\"server_error\",\"param\":null,\"code\":\"stream_broken\"}}\n\n",
            text);
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.StreamBroken, gateway.Engine.Outcomes.Single().Kind);
        Assert.Equal(1, gateway.Host.Metrics.Endings.With("default/pool", "stream_broken").Value);
    }

    [Fact]
    public async Task HeadThenNothing_PlainAnswer_Is504()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromMilliseconds(300), backend.Id));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("timeout", (await ErrorBody.ReadAsync(response)).Code);
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task StallsInTheMiddle_Stream_EndsWithATimeoutEvent()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromSeconds(1), backend.Id));
        using var response = await gateway.PostAsync(Body);
        var text = await response.Content.ReadAsStringAsync();
        Assert.StartsWith("data: 1\n\ndata: {\"error\":", text, StringComparison.Ordinal);
        Assert.Contains("\"code\":\"timeout\"", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.Timeout, gateway.Engine.Outcomes.Single().Kind);
        await Eventually.TrueAsync(() => backend.Aborted == 1, "the endpoint's connection is closed");
    }

    [Fact]
    public async Task EndsWithoutDone_PassesAsItIs()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("data: 1\n\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task HugeHead_Is502()
    {
        await using var backend = ScriptedBackend.Start(x => x.SendAsync($"HTTP/1.1 200 OK\r\nX-Big: {new string('a', 100_000)}\r\nContent-Length: 0\r\n\r\n"));
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("broken_answer", (await ErrorBody.ReadAsync(response)).Code);
        await SettledAsync(gateway);
    }
}
