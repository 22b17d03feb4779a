using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>What a client sees, what the lease says and what is counted, for each way in which an endpoint can fail.</summary>
public sealed class FaultTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    [Fact]
    public async Task Refuses_AnotherEndpointAnswers()
    {
        var dead = Configs.Dead();
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(dead, good.Id));
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.Equal(good.Id.Address, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single());
        }

        await SettledAsync(gateway);
        Assert.Equal(4, good.Requests.Count);
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(o.Endpoint == dead ? OutcomeKind.ConnectFailure : OutcomeKind.Success, o.Kind));
        Assert.Equal(gateway.Engine.Outcomes.Count(o => o.Endpoint == dead), gateway.Host.Metrics.Retries.With("default/pool", "connect_failed").Value);
        Assert.Contains(gateway.Engine.Requests, r => r.Excluded.SequenceEqual([dead]));
    }

    [Fact]
    public async Task Refuses_AllOfThem_Is502AfterThreeAttempts()
    {
        var dead = new[] { Configs.Dead(), Configs.Dead(), Configs.Dead(), Configs.Dead() };
        await using var gateway = await TestGateway.StartAsync(Configs.For(dead));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("all_attempts_failed", "server_error"), (error.Code, error.Type));
        Assert.Contains("All 3 attempts", error.Message, StringComparison.Ordinal);
        await SettledAsync(gateway);
        Assert.Equal(3, gateway.Engine.Outcomes.Count);
        Assert.Equal(3, gateway.Engine.Outcomes.Select(o => o.Endpoint).Distinct().Count());
    }

    [Fact]
    public async Task Refuses_TheOnlyOne_Is502()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("all_attempts_failed", (await ErrorBody.ReadAsync(response)).Code);
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task ResetBeforeHead_AnotherEndpointAnswers()
    {
        await using var bad = ScriptedBackend.Start(x =>
        {
            x.Reset();
            return Task.CompletedTask;
        });
        await using var good = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(bad, good);
        for (var i = 0; i < 4; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        await SettledAsync(gateway);
        Assert.Contains(gateway.Engine.Outcomes, o => o.Endpoint == bad.Id && o.Kind == OutcomeKind.ConnectFailure);
        Assert.True(gateway.Host.Metrics.Retries.With("default/pool", "reset").Value > 0);
    }

    [Fact]
    public async Task ClosesIdlePooledConnection_RequestSucceeds()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
            x.Close();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        for (var i = 0; i < 300; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        }

        await SettledAsync(gateway);
    }

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
    public async Task NeverAnswers_Is504AfterTheTimeout_AndTheEndpointIsReleased()
    {
        await using var backend = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromMilliseconds(300), backend.Id));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("timeout", "timeout_error"), (error.Code, error.Type));
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.Timeout, gateway.Engine.Outcomes.Single().Kind);
        await Eventually.TrueAsync(() => backend.Aborted == 1, "the endpoint's connection is closed");
    }

    [Fact]
    public async Task RouteTimeout_SmallerThanThePools_Wins()
    {
        await using var backend = ScriptedBackend.Start(x => x.UntilClosedAsync());
        var config = Configs.For(backend.Id) with { Routes = [Configs.RouteTo(Configs.Pool, timeout: TimeSpan.FromMilliseconds(200))] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.GatewayTimeout, response.StatusCode);
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

    [Theory]
    [InlineData("before_head")]
    [InlineData("after_head")]
    [InlineData("mid_stream")]
    public async Task ClientGone_EndpointAbortedAndLeaseReturned(string stage)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            if (stage != "before_head") await x.SendStreamHeadAsync();
            if (stage == "mid_stream") await x.SendChunkAsync("data: 1\n\n");
            reached.TrySetResult();
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var socket = await PostRawAsync(gateway);
        await reached.Task.WaitAsync(TimeSpan.FromSeconds(5));
        if (stage != "before_head") await socket.ReceiveAsync(new byte[1024]);
        socket.LingerState = new LingerOption(true, 0);
        socket.Close();
        await Eventually.TrueAsync(() => backend.Aborted == 1, "the endpoint's connection is closed", 1000);
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.ClientGone, gateway.Engine.Outcomes.Single().Kind);
        Assert.Equal(1, gateway.Host.Metrics.Endings.With("default/pool", "client_gone").Value);
    }

    [Theory]
    [InlineData(false, "400")]
    [InlineData(true, "499")]
    public async Task ClientGone_WithinItsBody_NothingIsPlaced(bool reset, string code)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using (var socket = await gateway.ConnectAsync())
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"mo"));
            await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 1, "the request has begun");
            if (reset) socket.LingerState = new LingerOption(true, 0);
        }

        await Eventually.TrueAsync(() => gateway.Host.Metrics.Requests.With("", "", code).Value == 1, "the request is counted");
        Assert.Empty(gateway.Engine.Requests);
    }

    [Fact]
    public async Task ClientGone_WhileItWaitsForAPlace_GivesItUp()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        var waiting = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gaveUp = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        gateway.Engine.BeforeRoute = async (_, token) =>
        {
            waiting.TrySetResult();
            try
            {
                await Task.Delay(TimeSpan.FromSeconds(20), token);
            }
            catch (OperationCanceledException)
            {
                gaveUp.TrySetResult();
                throw;
            }
        };
        var socket = await PostRawAsync(gateway);
        await waiting.Task.WaitAsync(TimeSpan.FromSeconds(5));
        socket.Dispose();
        await gaveUp.Task.WaitAsync(TimeSpan.FromSeconds(1));
        Assert.Equal(0, gateway.Engine.InFlight);
    }

    [Fact]
    public async Task ClientGone_WhileAFastStreamRuns_StopsAtOnce()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            var chunk = new string('z', 30_000);
            while (true) await x.SendChunkAsync(chunk);
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        const int Clients = 20;
        for (var i = 1; i <= Clients; i++)
        {
            using var socket = await PostRawAsync(gateway);
            var buffer = new byte[20_000];
            for (var received = 0; received < 200_000;) received += await socket.ReceiveAsync(buffer);
            if (i % 2 == 0) socket.LingerState = new LingerOption(true, 0);
            socket.Close();
            await SettledAsync(gateway);
        }

        await Eventually.TrueAsync(() => backend.Aborted == Clients, "every connection to the endpoint is closed");
        Assert.All(gateway.Engine.Outcomes, o => Assert.Equal(OutcomeKind.ClientGone, o.Kind));
    }

    [Fact]
    public async Task ClientDoesNotRead_TimeoutIsNotTheEndpointsFault()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            var chunk = new string('z', 60_000);
            while (true) await x.SendChunkAsync(chunk);
        });
        await using var gateway = await TestGateway.StartAsync(Configs.With(Configs.Pool, TimeSpan.FromSeconds(1), backend.Id));
        using var socket = await PostRawAsync(gateway);
        await Eventually.TrueAsync(() => !gateway.Engine.Outcomes.IsEmpty, "the request ends");
        Assert.Equal(OutcomeKind.ClientGone, gateway.Engine.Outcomes.Single().Kind);
    }

    [Fact]
    public async Task Shutdown_OpenStream_EndsWithAnErrorEvent()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.DrainTimeout = TimeSpan.FromMilliseconds(300));
        using var response = await gateway.PostAsync(Body);
        var stream = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await stream.ReadLineAsync());
        var stopping = gateway.Host.StopAsync();
        Assert.Contains("\"code\":\"shutting_down\"", await stream.ReadToEndAsync(), StringComparison.Ordinal);
        await stopping.WaitAsync(TimeSpan.FromSeconds(5));
        await SettledAsync(gateway);
    }

    [Fact]
    public async Task Shutdown_OpenRequest_IsFinishedWithinTheDrainTime()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            begun.TrySetResult();
            await Task.Delay(400, x.Stop);
            await x.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.DrainTimeout = TimeSpan.FromSeconds(10));
        var sending = gateway.PostAsync(Body);
        await begun.Task;
        var stopping = gateway.Host.StopAsync();
        using var response = await sending;
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task Pipelined_RequestAfterAnError_IsServed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var socket = await gateway.ConnectAsync();
        const string Bad = "{]";
        await socket.SendAsync(Encoding.ASCII.GetBytes(Raw(Bad) + Raw(Body)));
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (!text.ToString().Contains("HTTP/1.1 200", StringComparison.Ordinal))
        {
            var read = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(5));
            Assert.NotEqual(0, read);
            text.Append(Encoding.ASCII.GetString(buffer, 0, read));
        }

        Assert.StartsWith("HTTP/1.1 400", text.ToString(), StringComparison.Ordinal);
    }

    private static string Raw(string body) => $"POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length}\r\n\r\n{body}";

    private static async Task<Socket> PostRawAsync(TestGateway gateway)
    {
        var socket = await gateway.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes(Raw(Body)));
        return socket;
    }

    private static async Task SettledAsync(TestGateway gateway)
    {
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back", 1000);
        Assert.Equal(0, gateway.Engine.StrayCompletions);
    }
}
