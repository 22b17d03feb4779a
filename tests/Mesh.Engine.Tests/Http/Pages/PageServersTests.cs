using System.Diagnostics;
using System.Net;
using Mesh.Bench.Scraping;
using Mesh.Engine.Http;
using Mesh.Engine.Http.Pages;
using Mesh.Testing.Net;

namespace Mesh.Engine.Tests.Http.Pages;

/// <summary>The client against servers as they are.</summary>
public sealed class PageServersTests
{
    private static readonly byte[] Page = new VllmPage().Make();

    [Fact]
    public async Task Get_Kestrel_LengthAndChunks_GiveThePageOverOneConnection()
    {
        var chunked = false;
        var connections = new HashSet<string>();
        await using var server = await ScriptedServer.StartAsync(async context =>
        {
            lock (connections) connections.Add(context.Connection.Id);
            if (!chunked) context.Response.ContentLength = Page.Length;
            for (var at = 0; at < Page.Length; at += 7000)
                await context.Response.Body.WriteAsync(Page.AsMemory(at, Math.Min(7000, Page.Length - at)));
        });
        using var connection = Connect(server.Port, "/metrics");

        for (var i = 0; i < 10; i++)
        {
            chunked = i % 2 == 1;
            await AssertPageAsync(connection);
        }

        Assert.Single(connections);
    }

    [NginxFact]
    public async Task Get_Nginx_FilesProxiedChunksAndErrors_AreRead()
    {
        await using var upstream = await ScriptedServer.StartAsync(async context =>
        {
            await context.Response.Body.WriteAsync(Page.AsMemory(0, 20_000));
            await context.Response.Body.FlushAsync();
            await context.Response.Body.WriteAsync(Page.AsMemory(20_000));
        });
        var folder = Directory.CreateTempSubdirectory("mesh-nginx");
        var port = FreePorts.Next();
        await File.WriteAllBytesAsync(Path.Combine(folder.FullName, "metrics"), Page);
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "nginx.conf"), $$"""
            daemon off;
            master_process off;
            pid {{folder.FullName}}/pid;
            error_log stderr crit;
            events { worker_connections 64; }
            http {
                access_log off;
                keepalive_requests 5;
                client_body_temp_path {{folder.FullName}}; proxy_temp_path {{folder.FullName}}; fastcgi_temp_path {{folder.FullName}};
                uwsgi_temp_path {{folder.FullName}}; scgi_temp_path {{folder.FullName}};
                server {
                    listen 127.0.0.1:{{port}};
                    root {{folder.FullName}};
                    location /proxied { proxy_http_version 1.1; proxy_pass http://127.0.0.1:{{upstream.Port}}; }
                }
            }
            """);
        using var nginx = Process.Start(new ProcessStartInfo(NginxFactAttribute.Nginx, ["-p", folder.FullName, "-e", "stderr", "-c", Path.Combine(folder.FullName, "nginx.conf")]))!;
        try
        {
            using var file = Connect(port, "/metrics");
            using var proxied = Connect(port, "/proxied");
            using var missing = Connect(port, "/missing");
            await StartedAsync(file);

            // Nginx closes after every fifth request: that must not show.
            for (var i = 0; i < 12; i++)
            {
                await AssertPageAsync(file);
                await AssertPageAsync(proxied);
                var failure = await missing.GetAsync(default);
                Assert.Equal((IoFailureKind.Status, true), (failure.Kind, failure.Message.EndsWith("/missing answered 404", StringComparison.Ordinal)));
            }
        }
        finally
        {
            nginx.Kill();
            await nginx.WaitForExitAsync();
            folder.Delete(recursive: true);
        }
    }

    private static async Task StartedAsync(PageConnection connection)
    {
        var started = TimeProvider.System.GetTimestamp();
        while ((await connection.GetAsync(default)).Kind == IoFailureKind.Connect)
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started) < TimeSpan.FromSeconds(15), "nginx does not start");
            await Task.Delay(20);
        }
    }

    private static async Task AssertPageAsync(PageConnection connection)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        Assert.Equal("success", (await connection.GetAsync(deadline.Token)).Message);
        Assert.True(connection.Body.SequenceEqual(Page));
    }

    private static PageConnection Connect(int port, string path) =>
        new(new Uri($"http://127.0.0.1:{port}{path}"), new IPEndPoint(IPAddress.Loopback, port), TimeSpan.FromSeconds(20), 1 << 20, TimeProvider.System);
}
