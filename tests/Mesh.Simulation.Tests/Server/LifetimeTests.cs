using System.Net;
using System.Net.Sockets;
using Mesh.Simulation.Server;

namespace Mesh.Simulation.Tests.Server;

public class LifetimeTests
{
    private const string LongStream = """{"prompt":"a","max_tokens":4000,"stream":true}""";

    [Fact]
    public async Task Disconnect_HundredStreams_LeavesNothingRunning()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1 });
        var streams = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => fixture.OpenStreamAsync(LongStream)));
        foreach (var (_, reader) in streams) Assert.StartsWith("data: {", await reader.ReadLineAsync());
        Assert.Equal(100, fixture.Server.RunningRequests);
        foreach (var (response, _) in streams) response.Dispose();
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 0 && fixture.Server.AbortedRequests == 100));
        Assert.Equal(0, await fixture.MetricAsync("vllm:kv_cache_usage_perc"));
        Assert.Equal(100, await fixture.MetricAsync("vllm:request_success_total", "finished_reason=\"abort\""));
        Assert.Equal(0, fixture.Server.CompletedRequests);
    }

    [Fact]
    public async Task Disconnect_PlainRequest_IsAbortedToo()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1 });
        using var gone = new CancellationTokenSource();
        var pending = fixture.Client.PostAsync("/v1/completions", new StringContent("""{"prompt":"a","max_tokens":4000}"""), gone.Token);
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 1));
        gone.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 0 && fixture.Server.AbortedRequests == 1));
    }

    [Fact]
    public async Task Disconnect_WhileQueued_LeavesTheQueue()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1, MaxNumSeqs = 1 });
        var (running, _) = await fixture.OpenStreamAsync(LongStream);
        using var gone = new CancellationTokenSource();
        var pending = fixture.OpenStreamAsync(LongStream, gone.Token);
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.WaitingRequests == 1));
        gone.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => pending);
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.WaitingRequests == 0));
        Assert.Equal(1, fixture.Server.RunningRequests);
        running.Dispose();
    }

    [Fact]
    public async Task Kill_UnderLoad_ResetsConnectionsAndFreesThePort()
    {
        var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1 });
        var port = fixture.Server.Port;
        var (_, reader) = await fixture.OpenStreamAsync(LongStream);
        Assert.StartsWith("data: {", await reader.ReadLineAsync());
        using var raw = new TcpClient();
        await raw.ConnectAsync(IPAddress.Loopback, port);
        await raw.GetStream().WriteAsync("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 33\r\n\r\n{\"prompt\":\"a\",\"max_tokens\":4000} "u8.ToArray());
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 2));

        await fixture.Server.KillAsync();
        var reset = await Assert.ThrowsAsync<IOException>(async () => await raw.GetStream().ReadExactlyAsync(new byte[1]));
        Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(reset.InnerException).SocketErrorCode);
        await Assert.ThrowsAnyAsync<IOException>(() => reader.ReadToEndAsync());
        await Assert.ThrowsAsync<HttpRequestException>(() => fixture.Client.GetAsync("/health"));

        await using var again = await SimulatedVllmServer.StartAsync(ServerFixture.Options with { Port = port }, CancellationToken.None);
        Assert.Equal(fixture.Server.Address, again.Address);
        using var health = await fixture.Client.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal(0, again.RunningRequests);
        await fixture.DisposeAsync();
    }

    [Fact]
    public async Task Stop_AnswerInFlight_LetsItEnd()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 4 });
        var pending = fixture.PostJsonAsync("/v1/completions", """{"prompt":"a","max_tokens":200}""");
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 1));
        await fixture.Server.StopAsync();
        Assert.Equal(200, (await pending).GetProperty("usage").GetProperty("completion_tokens").GetInt32());
        await Assert.ThrowsAsync<HttpRequestException>(() => fixture.Client.GetAsync("/health"));
    }

    [Fact]
    public async Task Stop_AnswerOutlastsTheTimeout_IsCut()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 1, ShutdownTimeout = TimeSpan.FromMilliseconds(50) });
        var (_, reader) = await fixture.OpenStreamAsync(LongStream);
        await fixture.Server.StopAsync();
        await Assert.ThrowsAnyAsync<IOException>(() => reader.ReadToEndAsync());
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.RunningRequests == 0));
    }

    [Fact]
    public async Task Burst_TwoHundredCalls_AllAnswered()
    {
        await using var fixture = await ServerFixture.StartAsync(ServerFixture.Options with { Speed = 50 });
        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => fixture.PostJsonAsync("/v1/completions", $"{{\"prompt\":\"{i}\",\"max_tokens\":20}}")));
        Assert.True(await ServerFixture.EventuallyAsync(() => fixture.Server.CompletedRequests == 200));
        Assert.Equal((0, 0), (fixture.Server.RunningRequests, fixture.Server.WaitingRequests));
        Assert.Equal(4000, await fixture.MetricAsync("vllm:generation_tokens_total"));
    }
}
