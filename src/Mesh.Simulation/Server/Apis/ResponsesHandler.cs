using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Serves <c>/v1/responses</c>, and what it keeps at <c>/v1/responses/{id}</c> and <c>/v1/responses/{id}/cancel</c>.</summary>
internal sealed class ResponsesHandler(SimulatedVllmOptions options, ModelCatalog models, EngineHost host, GenerationHandler generation, RequestIds ids)
{
    private readonly ResponseStore _store = new();

    public async Task CreateAsync(HttpContext context)
    {
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        GenerationCall? call = null;
        ResponsesRequest? request = null;
        using (document)
        {
            if (document is not null) (call, request, error) = Read(document.RootElement);
        }

        if (call is null)
        {
            await HttpAnswers.SendErrorAsync(context, error!);
            return;
        }

        var writer = new ResponsesWriter(call, request!, request!.RequestId ?? ids.Next("resp_", null), options.TimeProvider.GetUtcNow().ToUnixTimeSeconds());
        if (request.Background) await BeginAsync(context, call, writer);
        else await generation.RunAsync(context, call, writer, request.Store ? g => _store.Add(writer.Id, new StoredResponse(call, g, writer)) : null);
    }

    public Task GetAsync(HttpContext context, string id) =>
        _store.Find(id) is { } stored ? SendAsync(context, stored) : HttpAnswers.SendErrorAsync(context, NotFound(id));

    public Task CancelAsync(HttpContext context, string id)
    {
        if (_store.Find(id) is not { } stored) return HttpAnswers.SendErrorAsync(context, NotFound(id));
        if (stored.Generation.Finished) return HttpAnswers.SendErrorAsync(context, ApiError.BadRequest("Cannot cancel a response that has ended.", "response_id"));
        stored.Cancel();
        host.Abort(stored.Generation);
        return SendAsync(context, stored);
    }

    private static ApiError NotFound(string id) => new(404, "invalid_request_error", $"Response with id '{id}' not found.", "response_id");

    private async Task BeginAsync(HttpContext context, GenerationCall call, ResponsesWriter writer)
    {
        if (generation.Submit(call) is not { } begun)
        {
            await HttpAnswers.SendErrorAsync(context, ApiError.QueueFull(options.MaxNumQueuedRequests));
            return;
        }

        _store.Add(writer.Id, new StoredResponse(call, begun, writer));
        using var buffer = new PooledBuffer();
        writer.WriteResponse(buffer, begun, "queued");
        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
    }

    private static async Task SendAsync(HttpContext context, StoredResponse stored)
    {
        using var buffer = new PooledBuffer();
        stored.Writer.WriteResponse(buffer, stored.Generation, stored.Status);
        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
    }

    private (GenerationCall? Call, ResponsesRequest? Request, ApiError? Error) Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object) return (null, null, ApiError.BadRequest("The body must be a JSON object."));
        var body = new FieldReader(root);
        var name = body.Text("model");
        if (body.Error is not null) return (null, null, body.Error);
        if (models.Find(name) is not { } model) return (null, null, ApiError.NoSuchModel(name!));
        var previousId = body.Text("previous_response_id");
        var previous = previousId is null ? null : _store.Find(previousId);
        if (previousId is not null && previous is null) return (null, null, NotFound(previousId));
        var tool = ToolChooser.Responses(body);
        var cap = (int)(body.Integer("max_output_tokens", 1, int.MaxValue) ?? 0);
        var background = body.Flag("background");
        var call = new GenerationCall
        {
            Model = model,
            IsChat = true,
            Prompts = [ConversationReader.Responses(body, previous is null ? [] : previous.Tokens())],
            Tool = tool,
            MaxTokens = ToolChooser.Cap(tool, cap),
            Stream = body.Flag("stream") && !background,
            Temperature = body.Number("temperature", 1, 0, 100),
            CacheSalt = body.Text("cache_salt"),
        };
        var request = new ResponsesRequest
        {
            RequestId = body.Text("request_id"),
            Instructions = body.Text("instructions"),
            PreviousId = previousId,
            Background = background,
            Store = body.Flag("store", otherwise: true),
            MaxOutputTokens = cap,
            ToolsJson = body.TryGet("tools", out var tools) ? tools.GetRawText() : "[]",
        };
        GenerationCallReader.CheckLength(body, call, options.MaxModelLen);
        return body.Error is null ? (call, request, null) : (null, null, body.Error);
    }
}
