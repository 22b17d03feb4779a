using System.Net;
using System.Text.Json;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

/// <summary>Errors in the shape of the API that was called.</summary>
public sealed class DialectTests
{
    [Theory]
    [InlineData(DecisionReason.UnknownModel, 404, "not_found_error")]
    [InlineData(DecisionReason.Saturated, 429, "rate_limit_error")]
    [InlineData(DecisionReason.NoReadyEndpoint, 503, "overloaded_error")]
    [InlineData(DecisionReason.UnknownPool, 500, "api_error")]
    public async Task Messages_Refusal_HasAnthropicsShape(DecisionReason reason, int status, string type)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = reason;
        using var response = await gateway.PostAsync("""{"model":"m1","messages":[]}""", "/v1/messages", r => r.Headers.Add("X-Request-Id", "mine"));
        Assert.Equal(status, (int)response.StatusCode);
        var error = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(("error", type, "mine"), (error.GetProperty("type").GetString(), error.GetProperty("error").GetProperty("type").GetString(), error.GetProperty("request_id").GetString()));
        Assert.NotEmpty(error.GetProperty("error").GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData("/v1/messages", "{}", "invalid_request_error")]
    [InlineData("/v1/messages", "nope", "invalid_request_error")]
    [InlineData("/v1/messages/nope", "{}", "not_found_error")]
    public async Task Messages_BadRequest_HasAnthropicsShape(string path, string body, string type)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        using var response = await gateway.PostAsync(body, path);
        Assert.Equal(type, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("error").GetProperty("type").GetString());
    }

    [Fact]
    public async Task Messages_BrokenStream_EndsWithItsErrorEvent()
    {
        var text = await BreakAsync("/v1/messages", "event: ping\ndata: {\"type\":\"ping\"}\n\nevent: content_blo");
        Assert.StartsWith("event: ping\ndata: {\"type\":\"ping\"}\n\nevent: content_blo\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"api_error\",", text, StringComparison.Ordinal);
        Assert.EndsWith("\"request_id\":\"mine\"}\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Responses_BrokenStream_EndsWithItsErrorEvent_InSequence()
    {
        var text = await BreakAsync("/v1/responses", "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":41,\"response\":{}}\n\n");
        var error = text[(text.LastIndexOf("event: error\ndata: ", StringComparison.Ordinal) + "event: error\ndata: ".Length)..];
        var json = JsonDocument.Parse(error).RootElement;
        Assert.Equal(("error", "stream_broken", 42), (json.GetProperty("type").GetString(), json.GetProperty("code").GetString(), json.GetProperty("sequence_number").GetInt32()));
    }

    [Fact]
    public async Task Chat_BrokenStream_EndsWithData()
    {
        var text = await BreakAsync("/v1/chat/completions", "data: {\"choices\":[{\"delta\":{}}]}\n\n");
        Assert.StartsWith("data: {\"choices\":[{\"delta\":{}}]}\n\ndata: {\"error\":{\"message\":", text, StringComparison.Ordinal);
    }

    private static async Task<string> BreakAsync(string path, string before)
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync(before);
            await Task.Delay(50);
            x.Reset();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync("""{"model":"m1","messages":[],"stream":true}""", path, r => r.Headers.Add("X-Request-Id", "mine"));
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }
}
