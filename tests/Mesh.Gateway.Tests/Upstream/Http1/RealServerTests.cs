using System.Globalization;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Upstream;
using Mesh.Testing.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Gateway.Tests.Upstream.Http1;

/// <summary>The client against servers that others wrote.</summary>
public sealed class RealServerTests
{
    private const string Events = "data: 0\n\ndata: 1\n\ndata: 2\n\ndata: 3\n\ndata: 4\n\ndata: 5\n\ndata: 6\n\ndata: 7\n\ndata: 8\n\ndata: 9\n\n";

    private static string Echo(string body) => body.Length.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public async Task Kestrel_PlainStreamedAndLarge()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls($"http://{FreePorts.NextAddress()}");
        await using var app = builder.Build();
        app.MapPost("/echo", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            await context.Response.WriteAsync(Echo(await reader.ReadToEndAsync()));
        });
        app.MapPost("/stream", async context =>
        {
            context.Response.ContentType = "text/event-stream";
            for (var i = 0; i < 10; i++)
            {
                await context.Response.WriteAsync($"data: {i}\n\n");
                await context.Response.Body.FlushAsync();
            }
        });
        await app.StartAsync();
        var url = new Uri(app.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await PlainStreamedAndLargeAsync(new EndpointId(url.Authority));
    }

    [FactWith("node")]
    public async Task Node_PlainStreamedAndLarge()
    {
        await using var server = await RealServer.StartAsync("node", "server.js", """
            const http = require('http');
            const server = http.createServer(async (q, r) => {
              let n = 0; for await (const c of q) n += c.toString().length;
              if (q.url === '/echo') return r.end(String(n));
              r.setHeader('Content-Type', 'text/event-stream');
              for (let i = 0; i < 10; i++) { r.write(`data: ${i}\n\n`); await new Promise(f => setTimeout(f, 1)); }
              r.end();
            });
            server.keepAliveTimeout = 100;
            server.listen($PORT, '$IP');
            """, "$DIR/server.js");
        await PlainStreamedAndLargeAsync(server.Id);
        await ReusedJustAsTheServerClosesAsync(server.Id, 100);
    }

    [FactWith("nginx")]
    public async Task Nginx_PlainStreamedAndLarge_AndClosedWhenIdle()
    {
        await using var backend = Backend();
        await using var server = await RealServer.StartAsync("nginx", "nginx.conf", $$"""
            worker_processes 1; daemon off; pid $DIR/nginx.pid; error_log $DIR/error.log;
            events { worker_connections 256; }
            http { access_log off; client_max_body_size 10m; client_body_buffer_size 1m; client_body_temp_path $DIR/b; proxy_temp_path $DIR/p; fastcgi_temp_path $DIR/f; uwsgi_temp_path $DIR/u; scgi_temp_path $DIR/s;
              keepalive_timeout 1s;
              server { listen $IP:$PORT; location / { proxy_pass http://{{backend.Id}}; proxy_buffering off; proxy_http_version 1.1; } } }
            """, "-c", "$DIR/nginx.conf", "-e", "$DIR/error.log");
        await PlainStreamedAndLargeAsync(server.Id);
        using var harness = new UpstreamHarness();
        Assert.Equal(200, (await harness.ExchangeAsync(UpstreamHarness.Request(server.Id, target: "/echo"))).Status);
        await Eventually.TrueAsync(() => harness.Client.PoolOf(server.Id).IdleCount == 0, "the pool sees that nginx closes");
        Assert.Equal(200, (await harness.ExchangeAsync(UpstreamHarness.Request(server.Id, target: "/echo"))).Status);
    }

    [FactWith("haproxy")]
    public async Task HAProxy_PlainStreamedAndLarge_AndUnable()
    {
        await using var backend = Backend();
        await using var server = await RealServer.StartAsync("haproxy", "haproxy.cfg", $$"""
            defaults
              mode http
              timeout connect 1s
              timeout client 5s
              timeout server 5s
              timeout http-keep-alive 100ms
            frontend f
              bind $IP:$PORT
              use_backend none if { path /none }
              default_backend b
            backend none
            backend b
              server s {{backend.Id}}

            """, "-f", "$DIR/haproxy.cfg");
        await PlainStreamedAndLargeAsync(server.Id);
        await ReusedJustAsTheServerClosesAsync(server.Id, 100);
        using var harness = new UpstreamHarness();
        Assert.Equal(503, (await harness.ExchangeAsync(UpstreamHarness.Request(server.Id, target: "/none"))).Status);
    }

    [Fact]
    public async Task KeepAliveOf100Ms_ClosedJustAsItIsReused_NoRequestFails()
    {
        // As uvicorn does it: a timer closes the connection some time after the last answer, whatever is on its way.
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendAsync(ScriptedBackend.Http(200, Echo(x.Request.Body)));
            x.CloseAfter(TimeSpan.FromMilliseconds(100));
        });
        await ReusedJustAsTheServerClosesAsync(backend.Id, 100);
    }

    private static ScriptedBackend Backend() => ScriptedBackend.Start(async x =>
    {
        if (x.Request.RequestLine.Contains("/echo", StringComparison.Ordinal))
        {
            await x.SendAsync(ScriptedBackend.Http(200, Echo(x.Request.Body)));
            return;
        }

        await x.SendStreamHeadAsync();
        for (var i = 0; i < 10; i++) await x.SendChunkAsync($"data: {i}\n\n");
        await x.SendAsync("0\r\n\r\n");
    });

    private static async Task PlainStreamedAndLargeAsync(EndpointId endpoint)
    {
        using var harness = new UpstreamHarness();
        for (var i = 0; i < 20; i++)
        {
            var body = new string('x', i * 10_000);
            Assert.Equal((200, Echo(body), UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(endpoint, body, target: "/echo")));
            Assert.Equal((200, Events, UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(endpoint, "{}", target: "/stream")));
        }

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async i =>
        {
            var body = new string('y', i * 100);
            Assert.Equal((200, Echo(body), UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(endpoint, body, target: "/echo")));
        }));
        Assert.Equal(0, harness.Client.PoolOf(endpoint).BusyCount);
    }

    private static async Task ReusedJustAsTheServerClosesAsync(EndpointId endpoint, int keepAliveMs)
    {
        using var harness = new UpstreamHarness();
        for (var i = 0; i < 30; i++)
        {
            Assert.Equal((200, "2", UpstreamFailure.None), await harness.ExchangeAsync(UpstreamHarness.Request(endpoint, target: "/echo")));
            await Task.Delay(keepAliveMs - 6 + (i % 9));
        }
    }
}
