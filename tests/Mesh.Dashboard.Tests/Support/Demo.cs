using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Dashboard.Tests.Support;

/// <summary>
/// The quick start's mesh in this process: gateway, engine and eight simulated model servers at addresses of their own, with requests that come all the time and a few long
/// ones, so that what is in flight can be counted.
/// </summary>
internal sealed class Demo : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private readonly List<HttpResponseMessage> _held = [];
    private readonly ManifestFeed _feed;
    private readonly SimulatedFleet _fleet;
    private readonly EmbeddedEngine _engine;
    private readonly HttpClient _load = new(new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 64 }) { Timeout = TimeSpan.FromMinutes(2) };

    private Demo(string manifests, ManifestFeed feed, SimulatedFleet fleet, EmbeddedEngine engine, GatewayHost host, Uri listener, Uri admin)
    {
        Manifests = manifests;
        _feed = feed;
        _fleet = fleet;
        _engine = engine;
        Host = host;
        Listener = listener;
        Api = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = admin, Timeout = TimeSpan.FromSeconds(30) };
        Admin = admin;
    }

    public string Manifests { get; }

    public GatewayHost Host { get; }

    public Uri Listener { get; }

    public Uri Admin { get; }

    public HttpClient Api { get; }

    public static async Task<Demo> StartAsync(Action<GatewayOptions>? set = null)
    {
        var manifests = CopyOfQuickStart();
        var listener = FreePorts.NextEndPoint();
        var admin = FreePorts.NextEndPoint();
        var options = new GatewayOptions { Manifests = manifests, AdminAddress = admin.ToString(), DrainTimeout = TimeSpan.Zero, StateDirectory = "" };
        options.Listeners["80"] = listener.ToString();
        options.DecisionLog.SampleRate = 0.2;
        set?.Invoke(options);
        var time = TimeProvider.System;
        var feed = new ManifestFeed(manifests, time, NullLoggerFactory.Instance);
        var config = feed.First.Config ?? throw new InvalidOperationException(string.Join('\n', feed.First.Diagnostics));
        var fleet = new SimulatedFleet(1, NullLoggerFactory.Instance);
        await fleet.ApplyAsync(config);
        var engine = new EmbeddedEngine(GatewayProcess.EngineOptionsFor(options), time, NullLoggerFactory.Instance, 1);
        engine.Reconfigure(config);
        var host = await GatewayHost.StartAsync(options, config, engine, time, NullLoggerFactory.Instance);
        feed.Attach(host, fleet.Follow);
        var demo = new Demo(manifests, feed, fleet, engine, host, new Uri($"http://{listener}"), new Uri($"http://{admin}"));
        await Eventually.TrueAsync(async () => (await demo.GetAsync("state")).GetProperty("readyEndpoints").GetInt32() == 8, "eight endpoints are ready", 60);
        return demo;
    }

    /// <summary>What the API answers.</summary>
    public async Task<JsonElement> GetAsync(string path)
    {
        using var json = JsonDocument.Parse(await Api.GetStringAsync(new Uri($"/api/v1/{path}", UriKind.Relative)));
        return json.RootElement.Clone();
    }

    /// <summary>Sends streams one after the other, as many at a time, until the end.</summary>
    public void Load(int clients)
    {
        for (var i = 0; i < clients; i++) _clients.Add(RunAsync(i));
    }

    /// <summary>Sends a request whose decision is kept.</summary>
    public async Task ExplainedAsync(string requestId)
    {
        using var request = Completion($"explain {requestId}", 5);
        request.Headers.Add("x-mesh-explain", "1");
        request.Headers.Add("x-request-id", requestId);
        using var response = await _load.SendAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    /// <summary>Begins streams that last for long and reads nothing of them.</summary>
    public async Task HoldAsync(int streams)
    {
        for (var i = 0; i < streams; i++)
        {
            using var request = Completion($"held {i}", 6000);
            _held.Add(await _load.SendAsync(request, HttpCompletionOption.ResponseHeadersRead));
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        foreach (var response in _held) response.Dispose();
        _load.Dispose();
        Api.Dispose();
        _feed.Dispose();
        await Host.StopAsync();
        await Host.DisposeAsync();
        await _engine.DisposeAsync();
        await _fleet.DisposeAsync();
        _stop.Dispose();
        Directory.Delete(Manifests, recursive: true);
    }

    private HttpRequestMessage Completion(string prompt, int maxTokens) => new(HttpMethod.Post, new Uri(Listener, "/v1/completions"))
    {
        Content = new StringContent(
            $$"""{"model":"food-review-1","prompt":"{{prompt}}","max_tokens":{{maxTokens}},"stream":true,"ignore_eos":true}""", Encoding.UTF8, new MediaTypeHeaderValue("application/json")),
    };

    private async Task RunAsync(int client)
    {
        for (var turn = 0; !_stop.IsCancellationRequested; turn++)
        {
            try
            {
                using var request = Completion(string.Concat(Enumerable.Repeat($"client {client} turn {turn % 7} ", 40)), 40);
                using var response = await _load.SendAsync(request, _stop.Token);
                await Task.Delay(20, _stop.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or HttpRequestException or IOException)
            {
                // The end, or an endpoint that a test has just drained.
            }
        }
    }

    // With addresses of this process's own, so that a demo that runs beside it is not in the way.
    private static string CopyOfQuickStart()
    {
        var from = QuickStart.FindManifests() ?? throw new InvalidOperationException("The quick start's manifests are not here.");
        var to = Directory.CreateTempSubdirectory("mesh-dashboard-").FullName;
        var net = $"127.{64 + Environment.ProcessId % 128}.{Environment.ProcessId / 128 % 250}";
        foreach (var file in Directory.EnumerateFiles(from, "*.yaml", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.WriteAllText(target, File.ReadAllText(file).Replace("127.1.0.", net + ".1", StringComparison.Ordinal).Replace("127.2.0.", net + ".2", StringComparison.Ordinal));
        }

        return to;
    }
}
