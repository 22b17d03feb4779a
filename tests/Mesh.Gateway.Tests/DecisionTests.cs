using System.Net;
using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.FlowControl;
using Mesh.Core.Scheduling;
using Mesh.Engine;
using Mesh.Gateway.Decisions;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests;

/// <summary>Explained decisions, over a real engine.</summary>
public sealed class DecisionTests
{
    private const string Body = """{"model":"m","prompt":"p"}""";

    [Fact]
    public async Task Post_Asked_GetsTheDecisionAndThePageHasIt()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig { Profile = ProfileNames.LeastLoad }, backend));
        using var asked = await gateway.PostAsync(Body, "r1");

        var header = Decision(asked);
        Assert.Equal(("r1", "send", "only_candidate"), (Text(header, "request_id"), Text(header, "outcome"), Text(header, "reason")));
        Assert.Equal(backend.Id.Address, Text(header, "endpoint"));
        var candidate = Assert.Single(header.GetProperty("candidates").EnumerateArray());
        Assert.True(candidate.GetProperty("chosen").GetBoolean());
        Assert.Equal(["in-flight-requests", "in-flight-tokens", "kv-utilization", "waiting-queue"], candidate.GetProperty("scores").EnumerateArray().Select(s => Text(s, "scorer")));
        var page = Assert.Single(await gateway.DecisionsAsync("/r1"));
        Assert.All(header.EnumerateObject().Where(p => p.Name != "time"), p => Assert.Equal(p.Value.GetRawText(), page.GetProperty(p.Name).GetRawText()));

        // Who did not ask is not kept.
        using var silent = await gateway.PostAsync(Body, "r2", ask: false);
        Assert.False(silent.Headers.Contains(Explanation.DecisionHeader));
        Assert.Single(await gateway.DecisionsAsync("?pool=pool"));
        Assert.Empty(await gateway.DecisionsAsync("?requestId=r2"));
        using var missing = await gateway.Client.GetAsync("/mesh/v1/decisions/r2");
        Assert.Equal((HttpStatusCode.NotFound, "unknown_decision"), (missing.StatusCode, (await ErrorBody.ReadAsync(missing)).Code));
    }

    [Fact]
    public async Task Post_Stream_HasTheDecisionBeforeTheFirstByte()
    {
        var mayAnswer = new TaskCompletionSource();
        await using var backend = ScriptedBackend.Start(async exchange =>
        {
            if (exchange.Request.RequestLine.StartsWith("GET", StringComparison.Ordinal))
            {
                await exchange.SendAsync(ScriptedBackend.Http(200, "{}"));
                return;
            }

            await exchange.SendStreamHeadAsync();
            await mayAnswer.Task;
            await exchange.SendChunkAsync("data: [DONE]\n\n");
            await exchange.SendAsync("0\r\n\r\n");
        });
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig(), backend));

        using var response = await gateway.PostAsync("""{"model":"m","prompt":"p","stream":true}""", "r1");

        Assert.Equal("send", Text(Decision(response), "outcome"));
        mayAnswer.SetResult();
        Assert.Equal("data: [DONE]\n\n", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Post_FirstEndpointFull_ThePageHasBothAttempts()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var full = ScriptedBackend.Start(exchange => exchange.SendAsync(
            ScriptedBackend.Http(exchange.Request.RequestLine.StartsWith("GET", StringComparison.Ordinal) ? 200 : 503, "{}")));
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig { Profile = ProfileNames.RoundRobin }, backend, full));
        using var first = await gateway.PostAsync(Body, "r1");
        using var second = await gateway.PostAsync(Body, "r2");

        var attempts = await gateway.DecisionsAsync("?limit=10");

        Assert.Equal(3, attempts.Count);
        var retry = attempts.Single(a => a.GetProperty("attempt").GetInt32() == 2);
        Assert.Equal(("not-excluded", full.Id.Address), (Text(retry.GetProperty("removed")[0], "filter"), Text(retry.GetProperty("removed")[0], "endpoint")));
        Assert.Equal(2, (await gateway.DecisionsAsync($"/{Text(retry, "request_id")}")).Count);
    }

    [Fact]
    public async Task Post_Refused_TellsWhoRemovedEverybody_AskedOrNot()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig(), backend));

        using var asked = await gateway.PostAsync(Body, "r1", subset: "10.9.9.9:1");
        using var silent = await gateway.PostAsync(Body, "r2", ask: false, subset: "10.9.9.9:1");

        Assert.Equal(HttpStatusCode.ServiceUnavailable, asked.StatusCode);
        Assert.Equal(("refuse", "no_ready_endpoint"), (Text(Decision(asked), "outcome"), Text(Decision(asked), "reason")));
        Assert.False(silent.Headers.Contains(Explanation.DecisionHeader));
        foreach (var id in new[] { "/r1", "/r2" })
        {
            var removal = Assert.Single(Assert.Single(await gateway.DecisionsAsync(id)).GetProperty("removed_by").EnumerateArray());
            Assert.Equal(("subset", 1), (Text(removal, "filter"), removal.GetProperty("count").GetInt32()));
        }
    }

    [Fact]
    public async Task Post_Queued_ThePageSaysWhatItWaitsForAndTheAnswerWhatItWaited()
    {
        var mayAnswer = new TaskCompletionSource();
        await using var backend = ScriptedBackend.Start(async exchange =>
        {
            if (!exchange.Request.RequestLine.StartsWith("GET", StringComparison.Ordinal)) await mayAnswer.Task;
            await exchange.SendAsync(ScriptedBackend.Http(200, "{}"));
        });
        var config = Config(new SchedulingConfig { Profile = ProfileNames.LeastRequest }, backend);
        var pool = config.Pools[0];
        config = config with
        {
            Pools =
            [
                pool with
                {
                    FlowControl = new FlowControlSettings { WhenFull = WhenFull.Queue },
                    Backends = [pool.Backends[0] with { Settings = new BackendSettings { Mode = BalancingMode.InFlight, MaxInFlightPerEndpoint = 1 } }],
                },
            ],
        };
        await using var gateway = await EngineGateway.StartAsync(config);
        var running = gateway.PostAsync(Body, "r1");
        await Eventually.TrueAsync(() => backend.Requests.Any(r => r.RequestLine.StartsWith("POST", StringComparison.Ordinal)), "the first is sent");

        var queued = gateway.PostAsync(Body, "r2");
        await Eventually.TrueAsync(() => !gateway.Engine.Decisions(null, "r2", 1).IsEmpty, "the second waits");
        var waiting = Assert.Single(await gateway.DecisionsAsync("/r2"));
        mayAnswer.SetResult();
        using var first = await running;
        using var second = await queued;

        Assert.Equal(("wait", "no_backend_below_target"), (Text(waiting, "outcome"), Text(waiting, "wait_reason")));
        Assert.Equal(1, waiting.GetProperty("backends")[0].GetProperty("fullness").GetDouble());
        var answered = Decision(second);
        Assert.Equal(("send", backend.Id.Address), (Text(answered, "outcome"), Text(answered, "endpoint")));
        Assert.True(answered.GetProperty("waited_ms").GetDouble() > 0);
    }

    [Theory]
    [InlineData(ExplainMode.Off, false)]
    [InlineData(ExplainMode.Loopback, true)]
    [InlineData(ExplainMode.Everyone, true)]
    internal async Task Post_Modes_AnswerWhomTheySay(ExplainMode mode, bool answered)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig(), backend), o => o.Explain = mode);
        using var response = await gateway.PostAsync(Body, "r1");

        Assert.Equal(answered, response.Headers.Contains(Explanation.DecisionHeader));
        Assert.Equal(answered, response.Headers.Contains("x-mesh-attempts"));
        Assert.Equal(answered ? 1 : 0, (await gateway.DecisionsAsync("")).Count);
    }

    [Fact]
    public async Task Post_SampledAndWrittenToTheLog_IsKeptUnasked()
    {
        using var loggers = new CapturingLoggers(DecisionLines.Category);
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await EngineGateway.StartAsync(
            Config(new SchedulingConfig(), backend), o => o.DecisionLog = new DecisionLogOptions { SampleRate = 1, Capacity = 2, WriteToLog = true }, loggers);

        for (var i = 0; i < 3; i++) (await gateway.PostAsync(Body, $"r{i}", ask: false)).Dispose();

        Assert.Equal(["r2", "r1"], (await gateway.DecisionsAsync("")).Select(d => Text(d, "request_id")));
        await Eventually.TrueAsync(() => loggers.Lines.Count == 3, "each is written");
        using var line = JsonDocument.Parse(loggers.Lines.First());
        Assert.Equal(("r0", "send"), (Text(line.RootElement, "request_id"), Text(line.RootElement, "outcome")));
    }

    [Fact]
    public async Task Page_AdminAddress_IsServedThereAlone()
    {
        var admin = FreePorts.NextAddress();
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await EngineGateway.StartAsync(Config(new SchedulingConfig(), backend), o => o.AdminAddress = admin.ToString());
        using var client = Clients.Create(new Uri($"http://{admin}"));

        using var hidden = await gateway.Client.GetAsync("/mesh/v1/decisions");
        using var shown = await client.GetAsync("/mesh/v1/decisions");
        using var posted = await client.PostAsync("/mesh/v1/decisions", null);

        Assert.Equal((HttpStatusCode.NotFound, HttpStatusCode.OK, HttpStatusCode.MethodNotAllowed), (hidden.StatusCode, shown.StatusCode, posted.StatusCode));
        Assert.Equal("""{"decisions":[]}""", await shown.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("?limit=0", 400, "invalid_query")]
    [InlineData("?limit=1001", 400, "invalid_query")]
    [InlineData("?limit=x", 400, "invalid_query")]
    [InlineData("?pool=none", 404, "unknown_decision")]
    public async Task Page_BadQuery_SaysWhatIsWrong(string query, int status, string code)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.Client.GetAsync("/mesh/v1/decisions" + query);

        Assert.Equal((status, code), ((int)response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
    }

    private static MeshConfig Config(SchedulingConfig scheduling, params ScriptedBackend[] backends)
    {
        var config = Configs.For([.. backends.Select(b => b.Id)]);
        return config with { Pools = [config.Pools[0] with { Scheduling = scheduling }] };
    }

    private static JsonElement Decision(HttpResponseMessage response)
    {
        var header = response.Headers.GetValues(Explanation.DecisionHeader).Single();
        Assert.True(header.Length <= DecisionJson.MaxHeaderBytes);
        return JsonDocument.Parse(header).RootElement;
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();

    /// <summary>A gateway over the embedded engine, every endpoint healthy.</summary>
    private sealed class EngineGateway(GatewayHost host, EmbeddedEngine engine, HttpClient client) : IAsyncDisposable
    {
        public HttpClient Client => client;

        public EmbeddedEngine Engine => engine;

        public static async Task<EngineGateway> StartAsync(MeshConfig config, Action<GatewayOptions>? set = null, ILoggerFactory? loggers = null)
        {
            var address = FreePorts.NextAddress();
            var options = new GatewayOptions { Listeners = { ["80"] = address.ToString() }, DrainTimeout = TimeSpan.Zero };
            set?.Invoke(options);
            var engine = new EmbeddedEngine(GatewayProcess.EngineOptionsFor(options), TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
            engine.Reconfigure(config);
            var host = await GatewayHost.StartAsync(options, config, engine, TimeProvider.System, loggers ?? NullLoggerFactory.Instance);
            await Eventually.TrueAsync(
                () => engine.Snapshot().SelectMany(p => p.Backends).SelectMany(b => b.Endpoints).All(e => e.Health == EndpointHealth.Healthy), "every endpoint is healthy", 20_000);
            return new EngineGateway(host, engine, Clients.Create(new Uri($"http://{address}")));
        }

        public Task<HttpResponseMessage> PostAsync(string body, string id, bool ask = true, string? subset = null)
        {
            var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions") { Content = new StringContent(body) };
            request.Headers.Add("x-request-id", id);
            if (ask) request.Headers.Add("x-mesh-explain", "1");
            if (subset is not null) request.Headers.Add("x-gateway-destination-endpoint-subset", subset);
            return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        }

        public async Task<List<JsonElement>> DecisionsAsync(string pathOrQuery) =>
            [.. JsonDocument.Parse(await client.GetStringAsync("/mesh/v1/decisions" + pathOrQuery)).RootElement.GetProperty("decisions").EnumerateArray()];

        public async ValueTask DisposeAsync()
        {
            client.Dispose();
            await host.StopAsync();
            await host.DisposeAsync();
            await engine.DisposeAsync();
        }
    }
}
