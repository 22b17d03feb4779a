using System.Net;
using System.Net.Sockets;
using System.Text;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Transport;
using Mesh.Gateway.Upstream;
using Mesh.Testing.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Mesh.Gateway.Tests.Transport;

/// <summary>Connections on the gateway's own loops and on the framework's sockets do the same; which threads they use, and HTTP/2 in clear text.</summary>
public sealed class TransportTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    [Theory]
    [InlineData("Auto")]
    [InlineData("Framework")]
    public async Task PlainsAndStreams_Concurrently_ComeWhole(string sockets)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            if (!x.Request.Body.Contains("true", StringComparison.Ordinal))
            {
                await x.SendAsync(ScriptedBackend.Http(200, x.Request.Body));
                return;
            }

            await x.SendStreamHeadAsync();
            for (var i = 0; i < 20; i++) await x.SendChunkAsync($"data: {i}\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Sockets = Enum.Parse<SocketKind>(sockets));
        var stream = string.Concat(Enumerable.Range(0, 20).Select(i => $"data: {i}\n\n"));
        await Parallel.ForEachAsync(Enumerable.Range(0, 400), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var body = $$"""{"model":"m1","prompt":"{{new string('x', i * 50)}}","stream":{{(i % 2 == 0 ? "true" : "false")}}}""";
            using var response = await gateway.PostAsync(body);
            Assert.Equal(i % 2 == 0 ? stream : body, await response.Content.ReadAsStringAsync());
        });
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "all leases come back");
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Framework")]
    public async Task LargeAnswer_ToAClientThatReadsLate_ComesWholeAndHoldsTheEndpointBack(string sockets)
    {
        const int Megabytes = 32;
        var sent = 0L;
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync($"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {Megabytes << 20}\r\n\r\n");
            var piece = new string('y', 1 << 16);
            for (var i = 0; i < Megabytes << 4; i++)
            {
                await x.SendAsync(piece);
                Interlocked.Add(ref sent, piece.Length);
            }
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Sockets = Enum.Parse<SocketKind>(sockets));
        using var client = await gateway.ConnectAsync();
        await client.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
        var before = -1L;
        // Until nothing moves any more: the client has not read a byte.
        await Eventually.TrueAsync(() => Interlocked.Read(ref sent) is var now and > 0 && now == Interlocked.Exchange(ref before, now), "the endpoint is held back", 10_000);
        Assert.InRange(Interlocked.Read(ref sent), 1, (Megabytes << 20) - 1);
        var buffer = new byte[1 << 16];
        var total = 0L;
        while (await client.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(20)) is var read and > 0) total += read;
        Assert.InRange(total, Megabytes << 20, (Megabytes << 20) + 2048);
    }

    [Theory]
    [InlineData("Auto")]
    [InlineData("Framework")]
    public async Task LargeBody_InAndOut_ComesWhole(string sockets)
    {
        await using var backend = ScriptedBackend.Start(x => x.SendAsync(ScriptedBackend.Http(200, $$"""{"bytes":{{x.Request.Body.Length}}}""")));
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Sockets = Enum.Parse<SocketKind>(sockets));
        var body = $$"""{"model":"m1","prompt":"{{new string('x', 8 << 20)}}"}""";
        using var response = await gateway.PostAsync(body);
        Assert.Equal($$"""{"bytes":{{body.Length}}}""", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Bodies_SmallOnesStayOnTheLoop_LargeOnesLeaveIt()
    {
        if (!Libc.IsSupported) return;
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        var onLoop = new List<bool>();
        gateway.Engine.BeforeRoute = (_, _) =>
        {
            // Asked for in the same breath as the body was scanned and hashed.
            onLoop.Add(SocketLoop.Current is not null);
            return Task.CompletedTask;
        };
        // A connection's first request may be there before the connection waits for it, and then it is read where the connection began.
        foreach (var chars in new[] { 1, 10, 1000, 200_000, 4 << 20 })
        {
            using var response = await gateway.PostAsync($$"""{"model":"m1","prompt":"{{new string('x', chars)}}"}""");
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal([true, true, false, false], onLoop[1..]);
    }

    [Fact]
    public async Task ClientOverHttp2InClearText_IsServed_OnItsListenerAlone()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Http2Listeners = [80]);
        using var client = Clients.Create(gateway.Uri);
        client.DefaultRequestVersion = HttpVersion.Version20;
        client.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        using var content = new StringContent(Body, Encoding.UTF8, "application/json");
        using var response = await client.PostAsync("/v1/completions", content);
        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20, "{}"), (response.StatusCode, response.Version, await response.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task EndpointOverHttp2InClearText_IsAsked()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        var address = FreePorts.NextAddress();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(k => k.Listen(address, l => l.Protocols = HttpProtocols.Http2));
        await using var endpoint = builder.Build();
        endpoint.Run(async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync($"data: {context.Request.Protocol} {body.Length}\n\n");
            await context.Response.Body.FlushAsync();
            await context.Response.WriteAsync("data: [DONE]\n\n");
        });
        await endpoint.StartAsync();
        await using var gateway = await TestGateway.StartAsync(Configs.For(new Mesh.Core.Endpoints.EndpointId(address.ToString())), o => o.Upstream = UpstreamKind.Http2);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal($"data: HTTP/2 {Body.Length}\n\ndata: [DONE]\n\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task ClientThatGoesAway_WhileNothingIsSent_IsNoticed()
    {
        await using var backend = ScriptedBackend.Start(x => x.UntilClosedAsync());
        await using var gateway = await TestGateway.StartAsync(backend);
        for (var i = 0; i < 4; i++)
        {
            using var client = await gateway.ConnectAsync();
            await client.SendAsync(Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
            var expected = i + 1;
            await Eventually.TrueAsync(() => backend.Requests.Count == expected, "the request is there");
            if (i % 2 == 0) client.LingerState = new LingerOption(true, 0);
            client.Close();
            await Eventually.TrueAsync(() => backend.Aborted == expected && gateway.Engine.InFlight == 0, "the endpoint is freed");
        }
    }
}
