using System.Text.Json;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Live;

/// <summary>Answers the administrative API's paths with what a test gives it, and with the gateway's own 404 elsewhere.</summary>
internal sealed class LiveServer : IAsyncDisposable
{
    private readonly ScriptedServer _server;

    public LiveServer() => _server = new ScriptedServer(async exchange =>
    {
        var request = _server!.Requests.Last().Head.Split("\r\n")[0].Split(' ');
        Asked.Add($"{request[0]} {request[1]}");
        var path = request[1].Split('?')[0];
        if (Refuse is { } refusal) await exchange.WriteAsync(ScriptedServer.Whole($$$"""{"error":{"message":"{{{refusal.Message}}}","code":"{{{refusal.Code}}}"}}""", refusal.Status));
        else if (Pages.TryGetValue(path, out var body)) await exchange.WriteAsync(ScriptedServer.Whole(body));
        else await exchange.WriteAsync(ScriptedServer.Whole($$$"""{"error":{"message":"Unknown path {{{path}}}.","code":"unknown_path"}}""", "404 Not Found"));
    });

    /// <summary>Bodies by path.</summary>
    public System.Collections.Concurrent.ConcurrentDictionary<string, string> Pages { get; } = new();

    /// <summary>What was asked, method and target.</summary>
    public List<string> Asked { get; } = [];

    /// <summary>Refuses everything when set.</summary>
    public (string Status, string Code, string Message)? Refuse { get; set; }

    public string Url => _server.Url;

    /// <summary>Heads and bodies of the requests.</summary>
    public IEnumerable<(string Head, string Body)> Requests => _server.Requests;

    public void List(string kind, params object[] items) => Pages[$"/api/v1/{kind}"] = JsonSerializer.Serialize(new { items, total = items.Length, offset = 0, limit = 1000 });

    public Task<ToolRun> RunAsync(params string[] arguments) => ToolRun.WithAsync(new Dictionary<string, string> { ["MESH_SERVER"] = Url, ["USER"] = "alice" }, arguments);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    /// <summary>A mesh of one pool, two backends and three endpoints.</summary>
    public static LiveServer WithMesh()
    {
        var server = new LiveServer();
        var pool = new
        {
            id = "default/llama", @namespace = "default", name = "llama", endpoints = 3, readyEndpoints = 2, inFlightRequests = 7, requestsPerSecond = 12.345, queuedRequests = 4, fullness = 1.25,
            timeToFirstToken = new { count = 9, p50Ms = 41.5, p95Ms = 1234.5 }, leases = 7, profile = "mesh", epoch = 1,
        };
        server.List("pools", pool);
        server.Pages["/api/v1/pools/default/llama"] = JsonSerializer.Serialize(new
        {
            pool.id, pool.@namespace, pool.name, pool.fullness, policies = new[] { new { kind = "GCPBackendPolicy", name = "default/p" } },
            settings = new[] { new { name = "timeoutSec", value = "100", source = "west/policy.yaml:9", origin = "policy", file = "west/policy.yaml", line = 9 } },
        });
        server.List(
            "backends", new { id = "west/a:8000", pool = "default/llama", region = "eu", cluster = "west", endpoints = 2, readyEndpoints = 2, inFlightRequests = 6, requestsPerSecond = 10.0, targetInFlightRequests = 8, fullness = 0.75 },
            new { id = "east/b:8000", pool = "default/llama", region = "us", cluster = "east", endpoints = 1, readyEndpoints = 0, inFlightRequests = 1, requestsPerSecond = 0.0 });
        server.List(
            "endpoints", Endpoint("10.0.0.1:8000", "pod-1", "west", "ready", 4, 0.5), Endpoint("10.0.0.2:8000", "pod-2", "west", "drained", 2, null), Endpoint("10.1.0.1:8000", "pod-3", "east", "unhealthy", 1, 0.25));
        server.List("regions", new { name = "eu", link = "own", endpoints = 2, readyEndpoints = 2, inFlightRequests = 6, requestsPerSecond = 10.0, clusters = new[] { "west" } });
        server.List("clusters", new { name = "west", region = "eu", zone = "a", configCluster = true, endpoints = 2, readyEndpoints = 2, inFlightRequests = 6, requestsPerSecond = 10.0, pools = new[] { "default/llama" } });
        server.List("objectives", new { @namespace = "default", name = "chat", priority = 10, pool = "default/llama", poolExists = true, queuedRequests = 4 });
        server.Pages["/api/v1/leases"] = """{"total":1,"items":[{"id":"1-7","pool":"default/llama","endpoint":"10.0.0.1:8000","session":"g@1","ageSeconds":3.25,"promptTokens":100,"outputTokens":50,"firstByteSeen":true}]}""";
        server.Pages["/api/v1/decisions"] = """{"decisions":[{"request_id":"r1","pool":"default/llama","time":"2026-01-02T03:04:05+00:00","outcome":"send","reason":"least_cost","endpoint":"10.0.0.1:8000","waited_ms":12.5}]}""";
        server.Pages["/api/v1/drains"] = """{"drains":[{"kind":"endpoint","name":"10.0.0.2:8000","reason":"new driver","by":"alice","since":"2026-01-02T03:04:05+00:00","endpoints":1,"inFlightRequests":0}],"history":[]}""";
        server.Pages["/api/v1/state"] = """{"region":"eu","uptimeSeconds":90,"configurationVersion":3,"ready":true,"openRequests":7,"endpoints":3,"readyEndpoints":2,"queuedRequests":4,"leases":7}""";
        return server;
    }

    private static object Endpoint(string address, string pod, string cluster, string state, int inFlight, double? kv) =>
        new { address, pod, pool = "default/llama", cluster, region = cluster == "west" ? "eu" : "us", state, inFlightRequests = inFlight, inFlightTokens = inFlight * 100, waitingRequests = 0, kvUtilizationRatio = kv, sampleAgeSeconds = 0.2 };
}
