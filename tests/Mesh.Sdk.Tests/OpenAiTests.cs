using System.ClientModel;
using System.ClientModel.Primitives;
using Mesh.Core.Routing;
using Mesh.Gateway.Tests.EndToEnd;
using Mesh.Gateway.Tests.Support;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;

namespace Mesh.Sdk.Tests;

/// <summary>OpenAI's client for .NET, unchanged but for its address.</summary>
[Collection(AloneCollection.Name)]
public sealed class OpenAiTests : IAsyncLifetime
{
    private const string Model = "food-review-1";

    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool(
        "weather", "Tells the weather.", BinaryData.FromString("""{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}"""));

    private SimulatedMesh _mesh = null!;

    public async Task InitializeAsync() => _mesh = await SimulatedMesh.StartAsync(speed: 20);

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task Chat_ToolCall_AndItsResult()
    {
        var chat = Client(_mesh.Uri, _mesh.Client).GetChatClient(Model);
        List<ChatMessage> messages = [new UserChatMessage("What is the weather in Naples?")];
        var options = new ChatCompletionOptions { Tools = { Weather } };
        ChatCompletion asked = await chat.CompleteChatAsync(messages, options);
        Assert.Equal(ChatFinishReason.ToolCalls, asked.FinishReason);
        var call = Assert.Single(asked.ToolCalls);
        Assert.Equal(("weather", """{"city":"Naples"}"""), (call.FunctionName, call.FunctionArguments.ToString()));

        messages.Add(new AssistantChatMessage(asked));
        messages.Add(new ToolChatMessage(call.Id, "Sunny."));
        options.MaxOutputTokenCount = 8;
        ChatCompletion answer = await chat.CompleteChatAsync(messages, options);
        Assert.NotEmpty(answer.Content[0].Text);
        Assert.Equal(8, answer.Usage.OutputTokenCount);
    }

    [Fact]
    public async Task ChatStream_WithTools_GivesTheCallInPieces()
    {
        var arguments = "";
        ChatFinishReason? finish = null;
        var chat = Client(_mesh.Uri, _mesh.Client).GetChatClient(Model);
        await foreach (var update in chat.CompleteChatStreamingAsync([new UserChatMessage("Weather?")], new ChatCompletionOptions { Tools = { Weather } }))
        {
            foreach (var call in update.ToolCallUpdates) arguments += call.FunctionArgumentsUpdate.ToString();
            finish ??= update.FinishReason;
        }

        Assert.Equal("""{"city":"Naples"}""", arguments);
        Assert.Equal(ChatFinishReason.ToolCalls, finish);
    }

    [Fact]
    public async Task Embeddings_SameTextSameVector()
    {
        var client = Client(_mesh.Uri, _mesh.Client).GetEmbeddingClient(Model);
        var vectors = (await client.GenerateEmbeddingsAsync(["one", "one", "two"])).Value;
        Assert.Equal(3, vectors.Count);
        Assert.Equal(vectors[0].ToFloats().ToArray(), vectors[1].ToFloats().ToArray());
        Assert.NotEqual(vectors[0].ToFloats().ToArray(), vectors[2].ToFloats().ToArray());
        Assert.True(vectors.Usage.InputTokenCount >= 3);
    }

    [Fact]
    public async Task Audio_Transcription_GoesByTheFormsModel()
    {
        var client = Client(_mesh.Uri, _mesh.Client).GetAudioClient(Model);
        var text = (await client.TranscribeAudioAsync(new MemoryStream(new byte[50_000]), "a.wav")).Value.Text;
        Assert.StartsWith("la pizza", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Responses_AreFoundAgain_AndGoOnWhereTheyWereMade()
    {
        var client = Client(_mesh.Uri, _mesh.Client).GetResponsesClient();
        // Eight endpoints: by chance alone hardly every one of these would be found.
        for (var i = 0; i < 8; i++)
        {
            ResponseResult first = await client.CreateResponseAsync(Options("Hello", null));
            Assert.StartsWith("resp_", first.Id, StringComparison.Ordinal);
            Assert.NotEmpty(first.GetOutputText());
            ResponseResult kept = await client.GetResponseAsync(first.Id);
            Assert.Equal(first.GetOutputText(), kept.GetOutputText());
            ResponseResult next = await client.CreateResponseAsync(Options("And then?", first.Id));
            Assert.True(next.Usage.InputTokenCount > first.Usage.InputTokenCount);
        }
    }

    [Fact]
    public async Task ResponsesStream_ArrivesInPieces()
    {
        var client = Client(_mesh.Uri, _mesh.Client).GetResponsesClient();
        var options = Options("Hello", null);
        options.StreamingEnabled = true;
        var pieces = 0;
        await foreach (var update in await client.CreateResponseStreamingAsync(options))
        {
            if (update is StreamingResponseOutputTextDeltaUpdate) pieces++;
        }

        Assert.Equal(6, pieces);
    }

    [Fact]
    public async Task Stream_Aborted_FreesTheModelServer()
    {
        using var cancel = new CancellationTokenSource();
        var chat = Client(_mesh.Uri, _mesh.Client).GetChatClient(Model);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            var options = new ChatCompletionOptions { MaxOutputTokenCount = 8_000 };
            await foreach (var _ in chat.CompleteChatStreamingAsync([new UserChatMessage("Everything")], options, cancel.Token)) await cancel.CancelAsync();
        });
        await Eventually.TrueAsync(() => _mesh.Servers.Values.All(s => s.RunningRequests == 0), "the model server is free");
        await Eventually.TrueAsync(() => _mesh.Endpoints.All(e => e.InFlightRequests == 0), "the lease comes back");
    }

    [Fact]
    public async Task UnknownModel_Is404()
    {
        var error = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(_mesh.Uri, _mesh.Client).GetChatClient("nope").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, error.Status);
        Assert.Contains("model_not_found", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DecisionReason.Saturated, 429)]
    [InlineData(DecisionReason.NoReadyEndpoint, 503)]
    public async Task Refusals_HaveTheirStatus(DecisionReason reason, int status)
    {
        await using var gateway = await TestGateway.StartAsync(Configs.For(Configs.Dead()));
        gateway.Engine.RefuseWith = reason;
        var error = await Assert.ThrowsAsync<ClientResultException>(
            () => Client(gateway.Uri, gateway.Client).GetChatClient("m1").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(status, error.Status);
    }

    [Fact]
    public async Task KeysAndRates_HaveTheirStatusAndCode()
    {
        await using var keyed = await KeyedGateway.StartAsync();
        var wrong = await Assert.ThrowsAsync<ClientResultException>(() => CompleteAsync("sk-that-nobody-has-0123456789"));
        Assert.Equal(401, wrong.Status);
        Assert.Contains("invalid_api_key", wrong.Message, StringComparison.Ordinal);
        // The model server's answer is no completion, but the key's one request of the minute is spent.
        await Assert.ThrowsAnyAsync<Exception>(() => CompleteAsync(KeyedGateway.Key));
        var rate = await Assert.ThrowsAsync<ClientResultException>(() => CompleteAsync(KeyedGateway.Key));
        Assert.Equal(429, rate.Status);
        Assert.Contains("rate_limit_exceeded", rate.Message, StringComparison.Ordinal);
        Assert.True(rate.GetRawResponse()!.Headers.TryGetValue("Retry-After", out var after) && int.Parse(after!, System.Globalization.CultureInfo.InvariantCulture) > 0);

        Task<ClientResult<ChatCompletion>> CompleteAsync(string key) =>
            Client(keyed.Uri, keyed.Gateway.Client, key).GetChatClient("m1").CompleteChatAsync([new UserChatMessage("hi")]);
    }

    [Fact]
    public async Task BadRequest_Is400()
    {
        var chat = Client(_mesh.Uri, _mesh.Client).GetChatClient(Model);
        var error = await Assert.ThrowsAsync<ClientResultException>(
            () => chat.CompleteChatAsync([new UserChatMessage("hi")], new ChatCompletionOptions { MaxOutputTokenCount = 1_000_000 }));
        Assert.Equal(400, error.Status);
    }

    private static CreateResponseOptions Options(string text, string? previous)
    {
        var options = new CreateResponseOptions { Model = Model, MaxOutputTokenCount = 6, PreviousResponseId = previous };
        options.InputItems.Add(ResponseItem.CreateUserMessageItem(text));
        return options;
    }

    private static OpenAIClient Client(Uri uri, HttpClient http, string key = "unused") => new(
        new ApiKeyCredential(key),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(uri, "/v1"),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(http),
        });
}
