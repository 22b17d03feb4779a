using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine;
using Mesh.Engine.Scraping.Orca;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Upstream;
using Mesh.Simulation.Server;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests.LoadReports;

/// <summary>What endpoints tell of their load beside their answers.</summary>
public sealed class LoadReportTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const string Report = "endpoint-load-metrics: TEXT named_metrics.kv_cache_usage_perc=0.25, named_metrics.num_requests_waiting=3\r\n";

    [Theory]
    [InlineData("Sockets")]
    [InlineData("Framework")]
    public async Task Plain_IsAskedFor_ReachesTheEngineAndNotTheClient(string upstream)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: Report);
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.Upstream = Enum.Parse<UpstreamKind>(upstream));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        Assert.False(response.Headers.Contains("endpoint-load-metrics"));
        Assert.Equal("TEXT", backend.Requests.Single().Headers["endpoint-load-metrics-format"]);
        await Eventually.TrueAsync(() => !gateway.Engine.LoadReports.IsEmpty, "the engine is told");
        var (endpoint, report) = gateway.Engine.LoadReports.Single();
        Assert.Equal((backend.Id, 0.25, 3, (int?)null), (endpoint, report.KvUtilizationRatio, report.WaitingRequests, report.RunningRequests));
    }

    [Fact]
    public async Task Plain_WithinTheInterval_IsNotAskedForAgain()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.LoadReportInterval = TimeSpan.FromHours(1));
        for (var i = 0; i < 20; i++)
        {
            using var response = await gateway.PostAsync(Body);
        }

        Assert.Equal(1, backend.Requests.Count(r => r.Headers.ContainsKey("endpoint-load-metrics-format")));
    }

    [Theory]
    [InlineData(0, Body)]
    [InlineData(100, """{"model":"m1","prompt":"hi","stream":true}""")]
    public async Task SwitchedOffOrStream_IsNotAskedFor(int intervalMs, string body)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: Report);
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.LoadReportInterval = TimeSpan.FromMilliseconds(intervalMs));
        using var response = await gateway.PostAsync(body);
        Assert.False(response.Headers.Contains("endpoint-load-metrics"));
        Assert.False(backend.Requests.Single().Headers.ContainsKey("endpoint-load-metrics-format"));
    }

    [Fact]
    public async Task ClientAsks_ItsFormatIsSentAndItGetsTheReport()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: "endpoint-load-metrics: JSON {\"named_metrics\":{\"num_requests_waiting\":7}}\r\n");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body, edit: r => r.Headers.Add("endpoint-load-metrics-format", "JSON"));
        Assert.Equal("JSON {\"named_metrics\":{\"num_requests_waiting\":7}}", response.Headers.GetValues("endpoint-load-metrics").Single());
        Assert.Equal("JSON", backend.Requests.Single().Headers["endpoint-load-metrics-format"]);
        await Eventually.TrueAsync(() => gateway.Engine.LoadReports.Any(r => r.Report.WaitingRequests == 7), "the engine is told");
    }

    [Fact]
    public async Task Unreadable_IsPassedOver()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: "endpoint-load-metrics: NONSENSE \u00e4 1=2\r\n");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the request is over");
        Assert.Empty(gateway.Engine.LoadReports);
    }

    [Fact]
    public async Task SimulatedEndpoint_IsAsked_TheEngineLearnsAndTheClientDoesNot()
    {
        await using var server = await SimulatedVllmServer.StartAsync(new SimulatedVllmOptions { Speed = 100, Models = [new("m1")] }, CancellationToken.None);
        var endpoint = new EndpointId(server.Address);
        await using var gateway = await TestGateway.StartAsync(Configs.For(endpoint));
        using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi","max_tokens":5}""");
        Assert.True(response.IsSuccessStatusCode);
        Assert.False(response.Headers.Contains("endpoint-load-metrics"));
        await Eventually.TrueAsync(() => !gateway.Engine.LoadReports.IsEmpty, "the engine is told");
        Assert.NotNull(gateway.Engine.LoadReports.Single().Report.WaitingRequests);
    }

    [Fact]
    public async Task EmbeddedEngine_IsToldOfAnEndpointWithoutMetrics_KnowsItsLoad()
    {
        var config = Configs.For(Configs.Dead(), Configs.Dead());
        await using var engine = new EmbeddedEngine(new EngineOptions(), TimeProvider.System, NullLoggerFactory.Instance, seed: 1);
        engine.Reconfigure(config);
        var endpoints = engine.Snapshot().Single().Backends.Single().Endpoints;
        engine.ReportLoad(Configs.Pool, endpoints[0].Id, new OrcaReport { WaitingRequests = 3, CpuUtilizationRatio = 0.5 });
        engine.ReportLoad(new PoolId("default", "unknown"), endpoints[1].Id, new OrcaReport { WaitingRequests = 3 });
        endpoints = engine.Snapshot().Single().Backends.Single().Endpoints;
        Assert.Equal((3, 0.5), (endpoints[0].LastSample?.WaitingRequests, endpoints[0].LastSample?.UtilizationRatio));
        Assert.Null(endpoints[1].LastSample);
    }
}
