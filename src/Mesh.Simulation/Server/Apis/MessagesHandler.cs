using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Serves <c>/v1/messages</c> and <c>/v1/messages/count_tokens</c>.</summary>
internal sealed class MessagesHandler(SimulatedVllmOptions options, ModelCatalog models, GenerationHandler generation, RequestIds ids)
{
    public async Task HandleAsync(HttpContext context)
    {
        var (call, error) = await ReadAsync(context, isCount: false);
        if (call is null) await HttpAnswers.SendErrorAsync(context, error!);
        else await generation.RunAsync(context, call, new MessagesWriter(call, ids.Next("msg_", context.Request.Headers[RequestIds.Header])));
    }

    public async Task CountAsync(HttpContext context)
    {
        var (call, error) = await ReadAsync(context, isCount: true);
        if (call is null)
        {
            await HttpAnswers.SendErrorAsync(context, error!);
            return;
        }

        using var buffer = new PooledBuffer();
        using (var json = Json.Writer(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("input_tokens"u8, call.PromptTokens);
            json.WriteEndObject();
        }

        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
    }

    private async Task<(GenerationCall? Call, ApiError? Error)> ReadAsync(HttpContext context, bool isCount)
    {
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        using var owned = document;
        return document is null ? (null, error) : Read(document.RootElement, isCount);
    }

    private (GenerationCall? Call, ApiError? Error) Read(JsonElement root, bool isCount)
    {
        if (root.ValueKind != JsonValueKind.Object) return (null, ApiError.BadRequest("The body must be a JSON object."));
        var body = new FieldReader(root);
        var name = body.Text("model");
        if (body.Error is not null) return (null, body.Error);
        if (models.Find(name) is not { } model) return (null, ApiError.NoSuchModel(name!));
        var cap = body.Integer("max_tokens", 1, int.MaxValue);
        if (cap is null && !isCount) body.Fail("max_tokens is missing.", "max_tokens");
        var tool = ToolChooser.Messages(body);
        var call = new GenerationCall
        {
            Model = model,
            IsChat = true,
            Prompts = [ConversationReader.Messages(body)],
            Tool = tool,
            MaxTokens = ToolChooser.Cap(tool, (int)(cap ?? 1)),
            Stream = body.Flag("stream"),
            Stop = body.Texts("stop_sequences"),
            Temperature = body.Number("temperature", 1, 0, 100),
        };
        GenerationCallReader.CheckLength(body, call, options.MaxModelLen);
        return body.Error is null ? (call, null) : (null, body.Error);
    }
}
