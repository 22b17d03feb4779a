using System.Text.Json;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Inference.Explaining;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests;

public sealed class AccessLogTests
{
    private const string Answer = """{"id":"1","usage":{"prompt_tokens":9,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4}}}""";

    private static MeshConfig Config(double ratio, params ScriptedBackend[] backends)
    {
        var config = Configs.For([.. backends.Select(b => b.Id)]);
        return config with { Pools = [config.Pools[0] with { LogSampleRatio = ratio, ModelRewrites = [new ModelRewriteConfig("chat", [new ModelTarget("llama", 1)], "x")] }] };
    }

    [Fact]
    public async Task Log_Request_IsOneLineWithoutPromptAndKeys()
    {
        using var loggers = new CapturingLoggers(AccessLog.Category);
        await using var backend = ScriptedBackend.Answering(200, Answer);
        await using var gateway = await TestGateway.StartAsync(Config(1, backend), loggers: loggers);
        using var response = await gateway.PostAsync("""{"model":"chat","prompt":"secret prompt"}""", "/v1/completions?key=secret", r =>
        {
            r.Headers.Add("Authorization", "Bearer secret");
            r.Headers.Add("X-Request-Id", "id-1");
        });
        await response.Content.ReadAsStringAsync();
        await Eventually.TrueAsync(() => loggers.Lines.Count == 1, "the line is written");
        var line = loggers.Lines.Single();
        Assert.DoesNotContain("secret", line, StringComparison.Ordinal);
        Assert.DoesNotContain("\n", line, StringComparison.Ordinal);
        var root = JsonDocument.Parse(line).RootElement;
        Assert.Equal(
            ("id-1", "POST", "/v1/completions", 200, "default/pool", backend.Id.Address),
            (Text("request_id"), Text("method"), Text("path"), Number("status"), Text("pool"), Text("endpoint")));
        Assert.Equal(("chat", "llama", 0, 1, "complete", "best_score"), (Text("model"), Text("sent_model"), Number("priority"), Number("attempts"), Text("ending"), Text("reason")));
        Assert.Equal((9, 4, 5), (Number("prompt_tokens"), Number("cached_tokens"), Number("output_tokens")));
        Assert.Equal((41, Answer.Length), (Number("request_bytes"), Number("response_bytes")));
        Assert.Equal(("r1", "c1/z1:8000", (string?)null), (Text("region"), Text("backend"), Text("trace_id")));
        Assert.Equal((1d, false), (Ms("sample_ratio"), root.GetProperty("stream").GetBoolean()));
        var (wait, first, duration) = (Ms("queue_wait_ms"), Ms("ttft_ms"), Ms("duration_ms"));
        Assert.True(wait >= 0 && first > wait && duration >= first, line);
        Assert.InRange(root.GetProperty("time").GetDateTimeOffset(), TimeProvider.System.GetUtcNow().AddMinutes(-5), TimeProvider.System.GetUtcNow());

        string? Text(string name) => root.GetProperty(name).GetString();
        int Number(string name) => root.GetProperty(name).GetInt32();
        double Ms(string name) => root.GetProperty(name).GetDouble();
    }

    [Fact]
    public async Task Log_Refusal_HasItsReason()
    {
        using var loggers = new CapturingLoggers(AccessLog.Category);
        await using var gateway = await TestGateway.StartAsync(Config(1), loggers: loggers);
        gateway.Engine.RefuseWith = DecisionReason.QueueFull;
        using var response = await gateway.PostAsync("""{"model":"m","prompt":"p"}""");
        await Eventually.TrueAsync(() => loggers.Lines.Count == 1, "the line is written");
        var root = JsonDocument.Parse(loggers.Lines.Single()).RootElement;
        Assert.Equal((429, "queue_full", 0), (root.GetProperty("status").GetInt32(), root.GetProperty("reason").GetString(), root.GetProperty("attempts").GetInt32()));
        Assert.Equal((JsonValueKind.Null, JsonValueKind.Null), (root.GetProperty("ttft_ms").ValueKind, root.GetProperty("endpoint").ValueKind));
        Assert.Equal(("refused", JsonValueKind.Null), (root.GetProperty("ending").GetString(), root.GetProperty("backend").ValueKind));
    }

    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.2, 20, 70)]
    public async Task Log_Share_IsThatOfTheRatio(double ratio, int least, int most)
    {
        using var loggers = new CapturingLoggers(AccessLog.Category);
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(ratio, backend), loggers: loggers);
        for (var i = 0; i < 200; i++)
        {
            using var response = await gateway.PostAsync("""{"model":"m","prompt":"p"}""");
        }

        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "all have ended");
        Assert.InRange(loggers.Lines.Count, least, most);
    }

    [Fact]
    public async Task Log_Failures_AreWrittenWhateverTheRatio()
    {
        using var loggers = new CapturingLoggers(AccessLog.Category);
        await using var backend = ScriptedBackend.Answering(500, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(1e-9, backend), loggers: loggers);
        for (var i = 0; i < 5; i++) (await gateway.PostAsync("""{"model":"m","prompt":"p"}""")).Dispose();
        gateway.Engine.RefuseWith = DecisionReason.QueueFull;
        for (var i = 0; i < 5; i++) (await gateway.PostAsync("""{"model":"m","prompt":"p"}""")).Dispose();
        gateway.Engine.RefuseWith = DecisionReason.NoReadyEndpoint;
        for (var i = 0; i < 5; i++) (await gateway.PostAsync("""{"model":"m","prompt":"p"}""")).Dispose();
        await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "all have ended");
        var status = loggers.Lines.Select(l => JsonDocument.Parse(l).RootElement).Select(r => (r.GetProperty("status").GetInt32(), r.GetProperty("sample_ratio").GetDouble()));
        Assert.Equal([.. Enumerable.Repeat((500, 1d), 5), .. Enumerable.Repeat((503, 1d), 5)], status);
    }

    [Fact]
    public async Task Log_File_HasOneObjectToALine()
    {
        var file = Path.Combine(Path.GetTempPath(), $"mesh-access-{Environment.ProcessId}-{FreePorts.NextAddress().Port}.log");
        try
        {
            await using var backend = ScriptedBackend.Answering(200, Answer);
            await using (var gateway = await TestGateway.StartAsync(Config(1, backend), o => o.AccessLog = file))
            {
                for (var i = 0; i < 20; i++) (await gateway.PostAsync("""{"model":"m","prompt":"p"}""")).Dispose();
                await Eventually.TrueAsync(() => gateway.Host.OpenRequests == 0, "all have ended");
            }

            var lines = await File.ReadAllLinesAsync(file);
            Assert.Equal(20, lines.Length);
            Assert.All(lines, l => Assert.Equal(200, JsonDocument.Parse(l).RootElement.GetProperty("status").GetInt32()));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Log_FileThatCannotBeWritten_CostsLinesAndNoRequest()
    {
        await using var backend = ScriptedBackend.Answering(200, Answer);
        await using var gateway = await TestGateway.StartAsync(Config(1, backend), o => o.AccessLog = "/no/such/directory/access.log");
        using var response = await gateway.PostAsync("""{"model":"m","prompt":"p"}""");
        Assert.True(response.IsSuccessStatusCode);
        await Eventually.TrueAsync(() => gateway.Host.Metrics.DroppedLines.With().Value == 1, "the line is counted as dropped");
    }

    [Fact]
    public async Task Explain_LoopbackClientThatAsks_GetsTheHeaders()
    {
        await using var full = ScriptedBackend.Answering(503, "full");
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: "x-mesh-attempts: 99\r\n");
        await using var gateway = await TestGateway.StartAsync(Config(0, full, backend));
        using var asked = await gateway.PostAsync("""{"model":"m","prompt":"p"}""", edit: r => r.Headers.Add("x-mesh-explain", "1"));
        Assert.Equal(("best_score", "2"), (asked.Headers.GetValues("x-mesh-decision-reason").Single(), asked.Headers.GetValues("x-mesh-attempts").Single()));
        Assert.True(double.Parse(asked.Headers.GetValues("x-mesh-queue-wait-ms").Single(), System.Globalization.CultureInfo.InvariantCulture) >= 0);
        using var silent = await gateway.PostAsync("""{"model":"m","prompt":"p"}""");
        Assert.False(silent.Headers.Contains("x-mesh-decision-reason"));
        gateway.Engine.RefuseWith = DecisionReason.Saturated;
        using var refused = await gateway.PostAsync("""{"model":"m","prompt":"p"}""", edit: r => r.Headers.Add("x-mesh-explain", "1"));
        Assert.Equal(("saturated", "0"), (refused.Headers.GetValues("x-mesh-decision-reason").Single(), refused.Headers.GetValues("x-mesh-attempts").Single()));
    }
}
