using System.Net.Sockets;
using System.Text;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;
using static Mesh.Gateway.Tests.Faults.FaultClient;

namespace Mesh.Gateway.Tests.Faults;

/// <summary>Clients that leave, or do not read.</summary>
public sealed class ClientFaultTests
{
    [Theory]
    [InlineData("before_head")]
    [InlineData("after_head")]
    [InlineData("mid_stream")]
    [InlineData("non_streaming")]
    public async Task ClientGone_EndpointAbortedAndLeaseReturned(string stage)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var backend = ScriptedBackend.Start(async x =>
        {
            if (stage == "non_streaming") await x.SendAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"half\":");
            else if (stage != "before_head") await x.SendStreamHeadAsync();
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

    [Fact]
    public async Task ClientReadsSlowly_GetsAllOfIt_AndTheEndpointIsHeldBack()
    {
        // More than the buffers of all sockets on the way can take.
        const int Chunks = 2000;
        const int ChunkBytes = 30_000;
        var sent = 0;
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            var chunk = new string('z', ChunkBytes);
            for (; sent < Chunks; sent++) await x.SendChunkAsync(chunk);
            await x.SendAsync("0\r\n\r\n");
        });
        // Silence that is the client's doing is no stall.
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.IdleTimeout = TimeSpan.FromSeconds(1));
        using var response = await gateway.PostAsync(Body);
        await using var body = await response.Content.ReadAsStreamAsync();
        await Task.Delay(TimeSpan.FromSeconds(2.5));
        Assert.InRange(sent, 1, Chunks - 1);
        var buffer = new byte[ChunkBytes];
        long received = 0;
        for (int read; (read = await body.ReadAsync(buffer)) > 0;) received += read;
        Assert.Equal((long)Chunks * ChunkBytes, received);
        await SettledAsync(gateway);
        Assert.Equal(OutcomeKind.Success, gateway.Engine.Outcomes.Single().Kind);
        Assert.Equal(1, gateway.Host.Metrics.Endings.With("default/pool", "complete").Value);
    }
}
