using System.Collections.Concurrent;
using System.Diagnostics;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>W3C trace context, with and without somebody who listens.</summary>
public sealed class TraceContextTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";
    private const string TraceId = "0af7651916cd43dd8448eb211c80319c";
    private const string ParentSpan = "b7ad6b7169203331";

    [Fact]
    public async Task NobodyListens_HeadersPassAsTheyCame()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await PostAsync(gateway, $"00-{TraceId}-{ParentSpan}-01", "vendor=a,other=b");
        var sent = backend.Requests.Single().Headers;
        Assert.Equal(($"00-{TraceId}-{ParentSpan}-01", "vendor=a,other=b"), (sent["traceparent"], sent["tracestate"]));
        using var without = await gateway.PostAsync(Body);
        Assert.False(backend.Requests.Last().Headers.ContainsKey("traceparent"));
    }

    [Theory]
    [InlineData("01", "01")]
    [InlineData("00", "00")]
    public async Task SomebodyListens_ModelServerGetsTheAttemptsSpan_WithTheClientsFlag(string given, string sentOn)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(gateway, spans);
        using var response = await PostAsync(gateway, $"00-{TraceId}-{ParentSpan}-{given}", "vendor=a");
        await Eventually.TrueAsync(() => spans.Count == 2, "both spans end");
        var server = spans.Single(s => s.Kind == ActivityKind.Server);
        var client = spans.Single(s => s.Kind == ActivityKind.Client);
        Assert.Equal((TraceId, ParentSpan), (server.TraceId.ToHexString(), server.ParentSpanId.ToHexString()));
        Assert.Equal((server.TraceId, server.SpanId), (client.TraceId, client.ParentSpanId));
        var sent = backend.Requests.Single().Headers;
        Assert.Equal($"00-{TraceId}-{client.SpanId.ToHexString()}-{sentOn}", sent["traceparent"]);
        Assert.Equal("vendor=a", sent["tracestate"]);
    }

    [Fact]
    public async Task NotSampled_SpansHaveNoAttributes()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(gateway, spans);
        using var response = await PostAsync(gateway, $"00-{TraceId}-{ParentSpan}-00", null);
        await Eventually.TrueAsync(() => spans.Count == 2, "both spans end");
        Assert.All(spans, s => Assert.Empty(s.TagObjects));
    }

    [Fact]
    public async Task Retry_EachAttemptIsASpan_AndTheFailedOneSaysWhy()
    {
        await using var full = ScriptedBackend.Answering(503, "full");
        await using var backend = ScriptedBackend.Answering(200, """{"usage":{"prompt_tokens":9,"completion_tokens":5}}""");
        await using var gateway = await TestGateway.StartAsync(full, backend);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(gateway, spans);
        using var response = await PostAsync(gateway, null, "vendor=lost");
        await Eventually.TrueAsync(() => spans.Count == 3, "all spans end");
        var all = spans.ToArray();
        Assert.Equal(("text_completion m1", "endpoint_full", ActivityStatusCode.Error), (all[0].OperationName, all[0].GetTagItem("error.type"), all[0].Status));
        Assert.Equal((1, 9, 5), (all[1].GetTagItem("http.request.resend_count"), all[1].GetTagItem("gen_ai.usage.input_tokens"), all[1].GetTagItem("gen_ai.usage.output_tokens")));
        Assert.Equal((backend.Address.Address.ToString(), backend.Address.Port), (all[1].GetTagItem("server.address"), all[1].GetTagItem("server.port")));
        Assert.Equal("POST /v1/completions", all[2].OperationName);
        Assert.Equal((200, 2, "/v1/completions"), (all[2].GetTagItem("http.response.status_code"), all[2].GetTagItem("mesh.attempts"), all[2].GetTagItem("http.route")));
        Assert.Equal(ActivityStatusCode.Unset, all[2].Status);
        Assert.Null(all[2].Parent);
        // Two attempts, two parents; a state without a parent is not passed on.
        Assert.EndsWith($"-{all[0].SpanId.ToHexString()}-01", full.Requests.Single().Headers["traceparent"], StringComparison.Ordinal);
        Assert.EndsWith($"-{all[1].SpanId.ToHexString()}-01", backend.Requests.Single().Headers["traceparent"], StringComparison.Ordinal);
        Assert.False(backend.Requests.Single().Headers.ContainsKey("tracestate"));
    }

    [Fact]
    public async Task Refusal_OfTheMeshsOwn_IsAnErrorOfItsSpan()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()), o => o.MaxRetries = 0);
        var spans = new ConcurrentQueue<Activity>();
        using var listener = Listen(gateway, spans);
        using var response = await gateway.PostAsync(Body);
        await Eventually.TrueAsync(() => spans.Count == 2, "both spans end");
        Assert.All(spans, s => Assert.Equal(("all_attempts_failed", ActivityStatusCode.Error), (s.GetTagItem("error.type"), s.Status)));
    }

    private static Task<HttpResponseMessage> PostAsync(TestGateway gateway, string? parent, string? state) => gateway.PostAsync(Body, edit: r =>
    {
        if (parent is not null) r.Headers.Add("traceparent", parent);
        if (state is not null) r.Headers.Add("tracestate", state);
    });

    // Samples as a parent-based sampler does.
    private static ActivityListener Listen(TestGateway gateway, ConcurrentQueue<Activity> ended)
    {
        var listener = new ActivityListener
        {
            ShouldListenTo = source => ReferenceEquals(source, gateway.Host.Tracing.Source),
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                options.Parent.TraceId != default && !options.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
                    ? ActivitySamplingResult.PropagationData : ActivitySamplingResult.AllDataAndRecorded,
            ActivityStopped = ended.Enqueue,
        };
        ActivitySource.AddActivityListener(listener);
        return listener;
    }
}
