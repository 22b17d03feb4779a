using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Sdk.Tests;

/// <summary>Anthropic's client for .NET, unchanged but for its address.</summary>
[Collection(AloneCollection.Name)]
public sealed class AnthropicTests : IAsyncLifetime
{
    private const string Model = "food-review-1";

    private SimulatedMesh _mesh = null!;

    public async Task InitializeAsync() => _mesh = await SimulatedMesh.StartAsync(speed: 20);

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task Message_Answers_WithItsUsage()
    {
        var message = await Client(_mesh.Uri).Messages.Create(Ask(12));
        Assert.Equal(12, message.Usage.OutputTokens);
        Assert.True(message.Usage.InputTokens > 3);
        Assert.True(message.Content[0].TryPickText(out var text));
        Assert.NotEmpty(text!.Text);
    }

    [Fact]
    public async Task MessageStream_ArrivesInPieces()
    {
        var pieces = 0;
        var stopped = false;
        await foreach (var streamed in Client(_mesh.Uri).Messages.CreateStreaming(Ask(12)))
        {
            if (streamed.TryPickContentBlockDelta(out _)) pieces++;
            if (streamed.TryPickStop(out _)) stopped = true;
        }

        Assert.True(pieces > 6, $"{pieces} pieces");
        Assert.True(stopped);
    }

    [Fact]
    public async Task Message_WithTools_CallsOne()
    {
        var schema = new InputSchema { Properties = new Dictionary<string, System.Text.Json.JsonElement> { ["city"] = System.Text.Json.JsonDocument.Parse("""{"type":"string"}""").RootElement } };
        var message = await Client(_mesh.Uri).Messages.Create(Ask(100) with { Tools = [new Tool { Name = "weather", InputSchema = schema }] });
        Assert.True(message.Content[0].TryPickToolUse(out var use));
        Assert.Equal(("weather", "Naples"), (use!.Name, use.Input["city"].GetString()));
    }

    [Fact]
    public async Task CountTokens_Counts()
    {
        var count = await Client(_mesh.Uri).Messages.CountTokens(new MessageCountTokensParams { Model = Model, Messages = [new UserMessageParam("hi there")] });
        Assert.True(count.InputTokens > 2);
    }

    [Fact]
    public async Task Stream_Aborted_FreesTheModelServer()
    {
        using var cancel = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            await foreach (var _ in Client(_mesh.Uri).Messages.CreateStreaming(Ask(8_000), cancel.Token)) await cancel.CancelAsync();
        });
        await Eventually.TrueAsync(() => _mesh.Servers.Values.All(s => s.RunningRequests == 0), "the model server is free");
        await Eventually.TrueAsync(() => _mesh.Endpoints.All(e => e.InFlightRequests == 0), "the lease comes back");
    }

    [Fact]
    public async Task Errors_HaveTheSdksClasses()
    {
        await Assert.ThrowsAsync<AnthropicNotFoundException>(() => Client(_mesh.Uri).Messages.Create(Ask(5) with { Model = "nope" }));
        // The model server's own complaint.
        await Assert.ThrowsAsync<AnthropicBadRequestException>(() => Client(_mesh.Uri).Messages.Create(Ask(10_000_000)));
    }

    [Fact]
    public async Task Refusals_HaveTheSdksClasses()
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = DecisionReason.Saturated;
        var full = await Assert.ThrowsAsync<AnthropicRateLimitException>(() => Client(gateway.Uri).Messages.Create(Ask(5)));
        Assert.Contains("rate_limit_error", full.ResponseBody, StringComparison.Ordinal);
        gateway.Engine.RefuseWith = DecisionReason.NoReadyEndpoint;
        var down = await Assert.ThrowsAnyAsync<Anthropic5xxException>(() => Client(gateway.Uri).Messages.Create(Ask(5)));
        Assert.Contains("overloaded_error", down.ResponseBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task KeysAndRates_HaveTheSdksClasses()
    {
        await using var keyed = await KeyedGateway.StartAsync();
        var wrong = await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => Client(keyed.Uri, "sk-that-nobody-has-0123456789").Messages.Create(Ask(5) with { Model = "m1" }));
        Assert.Contains("authentication_error", wrong.ResponseBody, StringComparison.Ordinal);
        // The model server's answer is no message, but the key's one request of the minute is spent.
        await Assert.ThrowsAnyAsync<Exception>(() => Client(keyed.Uri, KeyedGateway.Key).Messages.Create(Ask(5) with { Model = "m1" }));
        var rate = await Assert.ThrowsAsync<AnthropicRateLimitException>(() => Client(keyed.Uri, KeyedGateway.Key).Messages.Create(Ask(5) with { Model = "m1" }));
        Assert.Contains("rate_limit_error", rate.ResponseBody, StringComparison.Ordinal);
        var stream = await Assert.ThrowsAsync<AnthropicRateLimitException>(async () =>
        {
            await foreach (var _ in Client(keyed.Uri, KeyedGateway.Key).Messages.CreateStreaming(Ask(5) with { Model = "m1" }))
            {
            }
        });
        Assert.Contains("requests per minute", stream.ResponseBody, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BrokenStream_EndsInTheSdksError()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"type\":\"message\",\"role\":\"assistant\",\"content\":[],\"model\":\"m1\",\"stop_reason\":null,\"stop_sequence\":null,\"usage\":{\"input_tokens\":1,\"output_tokens\":0}}}\n\n");
            x.Reset();
        });
        await using var gateway = await TestGateway.StartAsync(backend);
        await Assert.ThrowsAnyAsync<AnthropicException>(async () =>
        {
            await foreach (var _ in Client(gateway.Uri).Messages.CreateStreaming(Ask(5) with { Model = "m1" }))
            {
            }
        });
    }

    private static MessageCreateParams Ask(int maxTokens) => new()
    {
        Model = Model,
        MaxTokens = maxTokens,
        Messages = [new UserMessageParam("Which pizza is the best one?")],
    };

    private static AnthropicClient Client(Uri uri, string key = "unused") => new() { ApiKey = key, BaseUrl = uri.ToString().TrimEnd('/'), MaxRetries = 0 };
}
