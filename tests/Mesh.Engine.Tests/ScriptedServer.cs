using System.Net;
using Mesh.Core.Endpoints;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace Mesh.Engine.Tests;

/// <summary>A small server on a loopback port that answers as the test says, and can be killed and started again on the same port.</summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly RequestDelegate _answer;
    private readonly Action<ListenOptions>? _listen;
    private WebApplication? _app;

    private ScriptedServer(RequestDelegate answer, Action<ListenOptions>? listen)
    {
        _answer = answer;
        _listen = listen;
    }

    public int Port { get; private set; }

    public EndpointId Id => new($"127.0.0.1:{Port}");

    public static async Task<ScriptedServer> StartAsync(RequestDelegate answer, Action<ListenOptions>? listen = null)
    {
        var server = new ScriptedServer(answer, listen);
        await server.StartAsync();
        return server;
    }

    /// <summary>A server with one text per path; other paths answer 404.</summary>
    public static Task<ScriptedServer> StartAsync(Dictionary<string, Func<string>> pages) => StartAsync(async context =>
    {
        if (pages.TryGetValue(context.Request.Path, out var page)) await context.Response.WriteAsync(page());
        else context.Response.StatusCode = 404;
    });

    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Port, options => _listen?.Invoke(options)));
        _app = builder.Build();
        _app.Run(_answer);
        await _app.StartAsync();
        Port = new Uri(_app.Urls.Single()).Port;
    }

    /// <summary>Closes the port and resets what is open.</summary>
    public async Task KillAsync()
    {
        if (_app is null) return;
        using var atOnce = new CancellationTokenSource();
        await atOnce.CancelAsync();
        await _app.StopAsync(atOnce.Token);
        await _app.DisposeAsync();
        _app = null;
    }

    public async ValueTask DisposeAsync() => await KillAsync();
}
