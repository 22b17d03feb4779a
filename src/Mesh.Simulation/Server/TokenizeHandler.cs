using System.Text.Json;
using Mesh.Simulation.Tokens;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server;

/// <summary>Serves <c>/tokenize</c> and <c>/detokenize</c>.</summary>
internal sealed class TokenizeHandler(SimulatedVllmOptions options, ModelCatalog models)
{
    public Task TokenizeAsync(HttpContext context) => HandleAsync(context, Tokenize);

    public Task DetokenizeAsync(HttpContext context) => HandleAsync(context, Detokenize);

    private async Task HandleAsync(HttpContext context, Action<FieldReader, Utf8JsonWriter> write)
    {
        var (document, error) = await HttpAnswers.ReadJsonAsync(context, options.MaxRequestBodyBytes);
        using var owned = document;
        using var buffer = new PooledBuffer();
        if (document is not null) error = Write(document.RootElement, buffer, write);
        if (error is not null) await HttpAnswers.SendErrorAsync(context, error);
        else await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, HttpAnswers.JsonType, buffer.WrittenMemory);
    }

    private ApiError? Write(JsonElement root, PooledBuffer buffer, Action<FieldReader, Utf8JsonWriter> write)
    {
        if (root.ValueKind != JsonValueKind.Object) return ApiError.BadRequest("The body must be a JSON object.");
        var body = new FieldReader(root);
        var model = body.Text("model");
        if (body.Error is null && models.Find(model) is null) return ApiError.NoSuchModel(model!);
        using var json = Json.Writer(buffer);
        write(body, json);
        return body.Error;
    }

    private void Tokenize(FieldReader body, Utf8JsonWriter json)
    {
        var tokens = Tokens(body);
        json.WriteStartObject();
        json.WriteNumber("count"u8, tokens.Length);
        json.WriteNumber("max_model_len"u8, options.MaxModelLen);
        json.WriteStartArray("tokens"u8);
        foreach (var token in tokens) json.WriteNumberValue(token);
        json.WriteEndArray();
        if (body.Flag("return_token_strs"))
        {
            json.WriteStartArray("token_strs"u8);
            foreach (var token in tokens) json.WriteStringValue(Tokenizer.Text([token]));
            json.WriteEndArray();
        }
        else
        {
            json.WriteNull("token_strs"u8);
        }

        json.WriteEndObject();
    }

    private static int[] Tokens(FieldReader body)
    {
        if (body.TryGet("messages", out _)) return PromptReader.Chat(body) is [var chat] ? chat.Tokens : [];
        if (body.Text("prompt") is { } text) return PromptReader.FromText(text, body.Flag("add_special_tokens", true)).Tokens;
        body.Fail("prompt or messages is missing.", "prompt");
        return [];
    }

    private static void Detokenize(FieldReader body, Utf8JsonWriter json)
    {
        int[]? tokens = null;
        if (body.TryGet("tokens", out var value)) tokens = PromptReader.TokenArray(value);
        if (tokens is null) body.Fail("tokens must be an array of integers from 0 up.", "tokens");
        json.WriteStartObject();
        json.WriteString("prompt"u8, Tokenizer.Text(tokens));
        json.WriteEndObject();
    }
}
