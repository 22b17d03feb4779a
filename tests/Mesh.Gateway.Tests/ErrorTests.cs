using System.Net;
using System.Text;
using Mesh.Core.Config;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class ErrorTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    [Theory]
    [InlineData("", "invalid_body", null, "Invalid JSON at line 1, byte 1: the body is empty.")]
    [InlineData("[]", "invalid_body", null, "Invalid JSON at line 1, byte 1: the body must be a JSON object.")]
    [InlineData("{\"model\":\"m1\",\n \"prompt\": nope}", "invalid_body", null, "line 2, byte 13")]
    [InlineData("{\"model\":\"m1\"} x", "invalid_body", null, "line 1, byte 16")]
    [InlineData("{\"prompt\":\"hi\"}", "missing_model", "model", "You must provide a `model`.")]
    [InlineData("{\"model\":null}", "missing_model", "model", "You must provide a `model`.")]
    [InlineData("{\"model\":\"\"}", "missing_model", "model", "You must provide a `model`.")]
    [InlineData("{\"model\":7}", "invalid_model", "model", "`model` must be a string.")]
    public async Task Post_BadBody_Is400WithTheReason(string body, string code, string? param, string message)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.PostAsync(body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal(("invalid_request_error", code, param), (error.Type, error.Code, error.Param));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Equal(code, response.Headers.GetValues("x-mesh-reason").Single());
        Assert.NotEmpty(response.Headers.GetValues("x-request-id").Single());
        Assert.Empty(gateway.Engine.Requests);
    }

    [Theory]
    [InlineData(DecisionReason.UnknownModel, 404, "model_not_found", "model", false)]
    [InlineData(DecisionReason.NoReadyEndpoint, 503, "no_ready_endpoint", null, true)]
    [InlineData(DecisionReason.NoEndpoints, 503, "no_endpoints", null, true)]
    [InlineData(DecisionReason.UnknownPool, 500, "route_without_backend", null, false)]
    public async Task Post_Refused_AnswersByTheTable(DecisionReason reason, int status, string code, string? param, bool retryAfter)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = reason;
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(status, (int)response.StatusCode);
        var error = await ErrorBody.ReadAsync(response);
        Assert.Equal((code, param), (error.Code, error.Param));
        Assert.Equal(retryAfter, response.Headers.Contains("Retry-After"));
        Assert.Equal(1, gateway.Host.Metrics.Refusals.With(code).Value);
    }

    [Fact]
    public async Task Post_RefusedWithRetryAfter_RoundsUp()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = DecisionReason.NoReadyEndpoint;
        gateway.Engine.RetryAfter = TimeSpan.FromMilliseconds(2100);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("3", response.Headers.GetValues("Retry-After").Single());
    }

    [Theory]
    [InlineData("GET", "/v1/completions", 405, "POST")]
    [InlineData("DELETE", "/v1/models", 405, "GET, HEAD")]
    [InlineData("GET", "/pause", 404, null)]
    [InlineData("POST", "/v1/load_lora_adapter", 404, null)]
    [InlineData("POST", "/v1/completions/", 404, null)]
    public async Task Request_WrongPathOrMethod_IsRefused(string method, string path, int status, string? allow)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal(allow, response.Content.Headers.Allow.Count == 0 ? null : string.Join(", ", response.Content.Headers.Allow));
        Assert.Equal(status == 405 ? "method_not_allowed" : "unknown_path", (await ErrorBody.ReadAsync(response)).Code);
    }

    [Fact]
    public async Task Post_NoRouteForHost_Is404()
    {
        var config = Configs.For(Configs.Dead());
        config = config with { Routes = [config.Routes[0] with { Hostnames = ["api.example.com"] }] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.NotFound, "no_route"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
        using var other = await gateway.PostAsync(Body, edit: r => r.Headers.Host = "API.example.com:8080");
        Assert.Equal("all_attempts_failed", (await ErrorBody.ReadAsync(other)).Code);
    }

    [Fact]
    public async Task Post_RouteToMissingPool_Is500()
    {
        var config = Configs.For(Configs.Dead());
        await using var gateway = await TestGateway.StartAsync(config with { Routes = [Configs.RouteTo(new PoolId("default", "gone"))] });
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.InternalServerError, "route_without_backend"), (response.StatusCode, (await ErrorBody.ReadAsync(response)).Code));
    }

    [Fact]
    public async Task Post_CompressedBody_Is415()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.PostAsync(Body, edit: r => r.Content!.Headers.ContentEncoding.Add("gzip"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Fact]
    public async Task Post_DeclaredTooLarge_Is413WithoutReading()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()), o => o.MaxBodyBytes = 1000);
        using var socket = await gateway.ConnectAsync();
        await socket.SendAsync(Encoding.ASCII.GetBytes("POST /v1/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"));
        var buffer = new byte[4096];
        var read = await socket.ReceiveAsync(buffer).WaitAsync(TimeSpan.FromSeconds(5));
        var head = Encoding.ASCII.GetString(buffer, 0, read);
        Assert.StartsWith("HTTP/1.1 413", head, StringComparison.Ordinal);
        Assert.Contains("body_too_large", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Post_ChunkedTooLarge_Is413_AndAtTheLimitPasses()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.MaxBodyBytes = 20_000);
        var padding = 20_000 - """{"model":"m1","prompt":""}""".Length;
        using var fits = await gateway.PostAsync($$"""{"model":"m1","prompt":"{{new string('x', padding)}}"}""", edit: r => r.Headers.TransferEncodingChunked = true);
        Assert.Equal(HttpStatusCode.OK, fits.StatusCode);
        using var response = await gateway.PostAsync($$"""{"model":"m1","prompt":"{{new string('x', padding + 1)}}"}""", edit: r => r.Headers.TransferEncodingChunked = true);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("body_too_large", (await ErrorBody.ReadAsync(response)).Code);
    }

    [Fact]
    public async Task Post_FarTooLarge_ClientReadsThe413()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()), o => o.MaxBodyBytes = 1 << 20);
        using var response = await gateway.PostAsync($$"""{"model":"m1","prompt":"{{new string('x', 8 << 20)}}"}""");
        Assert.Equal("body_too_large", (await ErrorBody.ReadAsync(response)).Code);
    }
}
