using System.ClientModel;
using System.ClientModel.Primitives;
using Mesh.Gateway.Tests.Support;
using OpenAI;
using OpenAI.Chat;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>The official client, unchanged but for its address.</summary>
[Collection(AloneCollection.Name)]
public sealed class OpenAiSdkTests : IAsyncLifetime
{
    private const string Model = "food-review-1";

    private SimulatedMesh _mesh = null!;

    public async Task InitializeAsync() => _mesh = await SimulatedMesh.StartAsync(speed: 2);

    public async Task DisposeAsync() => await _mesh.DisposeAsync();

    [Fact]
    public async Task Chat_Answers()
    {
        ChatCompletion completion = await Chat(Model).CompleteChatAsync([new UserChatMessage("Which pizza?")], new ChatCompletionOptions { MaxOutputTokenCount = 12 });
        Assert.Equal(Model, completion.Model);
        Assert.Equal(ChatFinishReason.Length, completion.FinishReason);
        Assert.Equal(12, completion.Usage.OutputTokenCount);
        Assert.NotEmpty(completion.Content[0].Text);
    }

    [Fact]
    public async Task ChatStream_ArrivesInPieces()
    {
        var pieces = 0;
        var text = "";
        ChatFinishReason? finish = null;
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 20 };
        await foreach (var update in Chat("meta-llama/Llama-3.1-8B-Instruct").CompleteChatStreamingAsync([new SystemChatMessage("Be brief."), new UserChatMessage("Which pizza?")], options))
        {
            foreach (var part in update.ContentUpdate) text += part.Text;
            if (update.ContentUpdate.Count > 0) pieces++;
            finish ??= update.FinishReason;
        }

        Assert.True(pieces > 10, $"{pieces} pieces");
        Assert.NotEmpty(text);
        Assert.Equal(ChatFinishReason.Length, finish);
    }

    [Fact]
    public async Task Models_ListsEachOnce()
    {
        var models = await Client().GetOpenAIModelClient().GetModelsAsync();
        Assert.Equal(["food-review-0", "food-review-1", "meta-llama/Llama-3.1-8B-Instruct"], models.Value.Select(m => m.Id));
    }

    [Fact]
    public async Task Errors_MapToTheSdksException()
    {
        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => Chat("no-such-model").CompleteChatAsync([new UserChatMessage("hi")]));
        Assert.Equal(404, unknown.Status);
        Assert.Contains("model_not_found", unknown.Message, StringComparison.Ordinal);
        Assert.Contains("The model `no-such-model` does not exist.", unknown.Message, StringComparison.Ordinal);

        // The model server's own complaint passes unchanged.
        var invalid = await Assert.ThrowsAsync<ClientResultException>(
            () => Chat(Model).CompleteChatAsync([new UserChatMessage(new string('x', 200_000))], new ChatCompletionOptions { MaxOutputTokenCount = 10 }));
        Assert.Equal(400, invalid.Status);
        Assert.False(invalid.GetRawResponse()!.Headers.TryGetValue("x-mesh-reason", out _));
    }

    [Fact]
    public async Task Cancel_InMidStream_FreesTheModelServer()
    {
        using var cancel = new CancellationTokenSource();
        var options = new ChatCompletionOptions { MaxOutputTokenCount = 4000 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
        {
            var seen = 0;
            await foreach (var _ in Chat(Model).CompleteChatStreamingAsync([new UserChatMessage("Tell me everything")], options, cancel.Token))
            {
                if (++seen == 5) await cancel.CancelAsync();
            }
        });
        await Eventually.TrueAsync(() => _mesh.Servers.Values.All(s => s.RunningRequests == 0 && s.WaitingRequests == 0), "the model server is free", 1000);
        await Eventually.TrueAsync(() => _mesh.Endpoints.All(e => e.InFlightRequests == 0), "the lease comes back", 1000);
    }

    [Fact]
    public async Task Cancel_BeforeTheAnswer_FreesTheModelServer()
    {
        using var cancel = new CancellationTokenSource();
        var asking = Chat(Model).CompleteChatAsync([new UserChatMessage("Tell me everything")], new ChatCompletionOptions { MaxOutputTokenCount = 8000 }, cancel.Token);
        await Eventually.TrueAsync(() => _mesh.Servers.Values.Any(s => s.RunningRequests > 0), "the model server works");
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await Eventually.TrueAsync(() => _mesh.Servers.Values.All(s => s.RunningRequests == 0 && s.WaitingRequests == 0), "the model server is free", 1000);
        await Eventually.TrueAsync(() => _mesh.Endpoints.All(e => e.InFlightRequests == 0), "the lease comes back", 1000);
    }

    private OpenAIClient Client() => new(
        new ApiKeyCredential("unused"),
        new OpenAIClientOptions
        {
            Endpoint = new Uri(_mesh.Uri, "/v1"),
            RetryPolicy = new ClientRetryPolicy(maxRetries: 0),
            Transport = new HttpClientPipelineTransport(_mesh.Client),
        });

    private ChatClient Chat(string model) => Client().GetChatClient(model);
}
