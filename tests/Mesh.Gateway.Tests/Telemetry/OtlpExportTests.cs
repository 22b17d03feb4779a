using System.Diagnostics;
using Mesh.Core.Config;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Telemetry.Otlp;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>What leaves by OTLP, over real sockets. Alone: the exporter takes the meters of every gateway in the process.</summary>
[Collection(AloneCollection.Name)]
public sealed class OtlpExportTests
{
    private const string Usage = "\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":7}";

    [Fact]
    public async Task Export_AfterTraffic_HasTheConventionsMetricsAndSpans()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync($"data: {{\"choices\":[],{Usage}}}\n\n");
            await x.SendChunkAsync("data: [DONE]\n\n");
            await x.SendAsync("0\r\n\r\n");
        });
        var pool = new PoolId("default", "otlp");
        await using var gateway = await TestGateway.StartAsync(Configs.With(pool, TimeSpan.FromSeconds(30), backend.Id));
        var options = new OtlpOptions { Endpoint = receiver.Uri.ToString(), Headers = "x-key=k1", MetricInterval = TimeSpan.FromMilliseconds(200) };
        using (var export = OtlpExport.Start(options, "r1", _ => null))
        {
            Assert.NotNull(export);
            for (var i = 0; i < 3; i++)
            {
                using var response = await gateway.PostAsync("""{"model":"m1","prompt":"hi","stream":true}""");
                await response.Content.ReadAsStringAsync();
            }

            await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "the requests end");
        }

        var duration = Of(receiver.Points("http.server.request.duration"), 9).Single();
        Assert.Equal(3ul, duration.Number(4));
        var attributes = duration.Attributes(9);
        Assert.Equal(
            ("POST", "/v1/completions", "200", "http", "1.1"),
            (attributes["http.request.method"], attributes["http.route"], attributes["http.response.status_code"], attributes["url.scheme"], attributes["network.protocol.version"]));
        Assert.False(attributes.ContainsKey("error.type"));
        attributes = Of(receiver.Points("gen_ai.client.operation.duration"), 9).Single().Attributes(9);
        Assert.Equal(
            ("text_completion", "vllm", "m1", "r1", "c1"),
            (attributes["gen_ai.operation.name"], attributes["gen_ai.provider.name"], attributes["gen_ai.request.model"], attributes["mesh.region"], attributes["k8s.cluster.name"]));
        Assert.Equal(3ul, Of(receiver.Points("gen_ai.server.time_to_first_token"), 9).Single().Number(4));
        Assert.Equal(3ul, Of(receiver.Points("gen_ai.server.time_per_output_token"), 9).Single().Number(4));
        var usage = Of(receiver.Points("gen_ai.client.token.usage"), 9).ToDictionary(p => p.Attributes(9)["gen_ai.token.type"], p => p.Double(5));
        Assert.Equal((300, 21), (usage["input"], usage["output"]));
        // The observable ones show what the page shows.
        Assert.Equal(3, Of(receiver.Points("mesh.requests"), 7).Single().Double(4));
        Assert.Equal(1, Of(receiver.Points("mesh.endpoint.healthy"), 7).Single().Double(4));
        Assert.Equal(3, receiver.Spans.Count(s => s.Text(5) == "POST /v1/completions" && Pool(s.Attributes(9)) == "default/otlp"));
        Assert.Equal(3, receiver.Spans.Count(s => s.Text(5) == "text_completion m1" && Pool(s.Attributes(9)) == "default/otlp"));
        var resource = receiver.Metrics.Last().Path(1, 1).First().Attributes(1);
        Assert.Equal(("mesh-gateway", "r1"), (resource["service.name"], resource["mesh.region"]));
        Assert.Equal("k1", receiver.Headers["x-key"]);
    }

    [Fact]
    public async Task Process_WithTheUsualVariables_Exports()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        using var manifests = new ManifestCopy();
        var address = FreePorts.NextAddress();
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = Path.GetTempPath() };
        foreach (var arg in (string[])[Path.Combine(AppContext.BaseDirectory, "Mesh.Gateway.dll"), "--manifests", manifests.Path, "--simulate", "true", $"--Mesh:Listeners:80={address}", "--Mesh:SimulationSpeed=50"]) start.ArgumentList.Add(arg);
        start.Environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = receiver.Uri.ToString();
        start.Environment["OTEL_METRIC_EXPORT_INTERVAL"] = "300";
        start.Environment["OTEL_BSP_SCHEDULE_DELAY"] = "200";
        start.Environment["OTEL_SERVICE_NAME"] = "my-mesh";
        using var process = Process.Start(start)!;
        try
        {
            while (await process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(30)) is { } line)
            {
                if (line.StartsWith("curl ", StringComparison.Ordinal)) break;
            }

            using var client = Clients.Create(new Uri($"http://{address}"));
            using var body = new StringContent("""{"model":"food-review-1","prompt":"hi","max_tokens":5}""", System.Text.Encoding.UTF8, "application/json");
            using var response = await client.PostAsync("/v1/completions", body);
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
            await Eventually.TrueAsync(() => receiver.Spans.Any(s => s.Text(5) == "text_completion food-review-1"), "the span comes", 20_000);
            await Eventually.TrueAsync(() => receiver.Points("gen_ai.client.operation.duration").Length > 0, "the metrics come", 20_000);
            await Eventually.TrueAsync(() => receiver.Points("mesh.engine.scrapes").Length > 0, "the engine's come", 20_000);
            Assert.Equal("my-mesh", receiver.Metrics.Last().Path(1, 1).First().Attributes(1)["service.name"]);
        }
        finally
        {
            process.Kill();
        }
    }

    [Fact]
    public void Start_NoReceiverNamed_IsOff()
    {
        Assert.Null(OtlpExport.Start(new OtlpOptions(), "", _ => null));
        Assert.Null(OtlpExport.Start(new OtlpOptions { Endpoint = "http://127.0.0.1:1" }, "", n => n == "OTEL_SDK_DISABLED" ? "true" : null));
        Assert.Null(OtlpExport.Start(new OtlpOptions { Endpoint = "http://127.0.0.1:1" }, "", n => n is "OTEL_METRICS_EXPORTER" or "OTEL_TRACES_EXPORTER" ? "none" : null));
    }

    [Fact]
    public void Start_AddressThatIsNone_SaysSo()
    {
        var error = Assert.Throws<GatewayConfigurationException>(() => OtlpExport.Start(new OtlpOptions { Endpoint = "collector" }, "", _ => null));
        Assert.Equal("Mesh:Otlp:Endpoint is 'collector'; it should be like http://collector:4318.", error.Message);
    }

    private static IEnumerable<ProtoMessage> Of(ProtoMessage[] points, int attributes) => points.Where(p => Pool(p.Attributes(attributes)) == "default/otlp");

    private static string? Pool(Dictionary<string, string> attributes) => attributes.GetValueOrDefault("mesh.pool");
}
