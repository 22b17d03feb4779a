using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Mesh.Core.Config;
using Mesh.Gateway.Hosting;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests.Support;

/// <summary>A gateway on a real socket over the fake engine.</summary>
internal sealed class TestGateway : IAsyncDisposable
{
    private TestGateway(GatewayHost host, FakeEngine engine, Uri uri)
    {
        Host = host;
        Engine = engine;
        Uri = uri;
        Client = Clients.Create(uri);
    }

    public GatewayHost Host { get; }

    public FakeEngine Engine { get; }

    public Uri Uri { get; }

    public HttpClient Client { get; }

    public static Task<TestGateway> StartAsync(params ScriptedBackend[] backends) => StartAsync(Configs.For([.. backends.Select(b => b.Id)]));

    public static async Task<TestGateway> StartAsync(MeshConfig config, Action<GatewayOptions>? set = null, ILoggerFactory? loggers = null)
    {
        var address = FreePorts.NextAddress();
        var options = new GatewayOptions { BindAddress = address.Address.ToString(), ConnectTimeout = TimeSpan.FromSeconds(1), DrainTimeout = TimeSpan.Zero };
        options.Listeners["80"] = address.ToString();
        set?.Invoke(options);
        var engine = new FakeEngine(config);
        var host = await GatewayHost.StartAsync(options, config, engine, TimeProvider.System, loggers ?? NullLoggerFactory.Instance);
        return new TestGateway(host, engine, new Uri($"http://{address}"));
    }

    public Task<HttpResponseMessage> PostAsync(string json, string path = "/v1/completions", Action<HttpRequestMessage>? edit = null, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        edit?.Invoke(request);
        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>A raw connection, for clients that misbehave.</summary>
    public async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(Uri.Host, Uri.Port);
        return socket;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
    }
}

/// <summary>HTTP clients that do what a test needs.</summary>
internal static class Clients
{
    /// <summary>A raw connection.</summary>
    public static async Task<Socket> ConnectAsync(IPEndPoint address)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address);
        return socket;
    }

    public static HttpClient Create(Uri uri) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        // A client that gives up closes its connection at once; the default reads on for up to two seconds to keep it.
        MaxResponseDrainSize = 0,
    })
    {
        BaseAddress = uri,
        Timeout = TimeSpan.FromSeconds(30),
    };
}

/// <summary>Waiting for what happens on another thread, with an end.</summary>
internal static class Eventually
{
    public static async Task TrueAsync(Func<bool> condition, string what, int withinMs = 5000)
    {
        using var deadline = new CancellationTokenSource(withinMs);
        while (!condition())
        {
            if (deadline.IsCancellationRequested) Assert.Fail($"Not within {withinMs} ms: {what}");
            await Task.Delay(5);
        }
    }
}

/// <summary>OpenAI's error object.</summary>
internal sealed record ErrorBody(ErrorInfo Error)
{
    public static async Task<ErrorInfo> ReadAsync(HttpResponseMessage response) => (await response.Content.ReadFromJsonAsync<ErrorBody>())!.Error;
}

/// <summary>Its inside.</summary>
internal sealed record ErrorInfo(string Message, string Type, string? Param, string? Code);
