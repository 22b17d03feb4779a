using System.Text.Json;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server.Apis;

/// <summary>Turns the conversations of the Responses and the Messages API into tokens, by the template that chat completions go through.</summary>
internal static class ConversationReader
{
    private static readonly int LineFeed = Token.WhiteSpace(1, 1);

    /// <summary>Instructions and input of the Responses API, after what went before.</summary>
    public static Prompt Responses(FieldReader body, ReadOnlySpan<int> before)
    {
        List<int> tokens = [.. before];
        if (tokens.Count == 0) tokens.Add(Token.BeginOfText);
        if (body.Text("instructions") is { } instructions) AppendText(tokens, "system", instructions);
        if (!body.TryGet("input", out var input)) body.Fail("input is missing.", "input");
        else if (input.ValueKind == JsonValueKind.String) AppendText(tokens, "user", input.GetString()!);
        else AppendItems(body, tokens, input, "input");
        return Ended(tokens);
    }

    /// <summary>System prompt and messages of the Messages API.</summary>
    public static Prompt Messages(FieldReader body)
    {
        List<int> tokens = [Token.BeginOfText];
        if (body.TryGet("system", out var system)) Append(tokens, "system", system);
        if (!body.TryGet("messages", out var messages)) body.Fail("messages is missing.", "messages");
        else AppendItems(body, tokens, messages, "messages");
        return Ended(tokens);
    }

    private static void AppendItems(FieldReader body, List<int> tokens, JsonElement items, string name)
    {
        if (items.ValueKind != JsonValueKind.Array || items.GetArrayLength() == 0)
        {
            body.Fail($"{name} must be a non-empty array.", name);
            return;
        }

        foreach (var item in items.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object)
            {
                body.Fail($"{name} has an item that is no object.", name);
                return;
            }

            var role = item.TryGetProperty("role", out var given) && given.ValueKind == JsonValueKind.String ? given.GetString()! : "tool";
            Append(tokens, role, item.TryGetProperty("content", out var content) ? content : item);
        }
    }

    private static Prompt Ended(List<int> tokens)
    {
        AppendHead(tokens, "assistant");
        return new Prompt([.. tokens], null);
    }

    private static void Append(List<int> tokens, string role, JsonElement content)
    {
        AppendHead(tokens, role);
        AppendValue(tokens, content);
        tokens.Add(Token.MessageEnd);
    }

    private static void AppendText(List<int> tokens, string role, string text)
    {
        AppendHead(tokens, role);
        Tokenizer.Append(tokens, text);
        tokens.Add(Token.MessageEnd);
    }

    private static void AppendValue(List<int> tokens, JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.String) Tokenizer.Append(tokens, value.GetString());
        else if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String) Tokenizer.Append(tokens, text.GetString());
        else if (value.ValueKind == JsonValueKind.Object) Tokenizer.Append(tokens, value.GetRawText());
        else if (value.ValueKind == JsonValueKind.Array)
        {
            foreach (var part in value.EnumerateArray()) AppendValue(tokens, part);
        }
    }

    private static void AppendHead(List<int> tokens, string role)
    {
        tokens.Add(Token.MessageStart);
        Tokenizer.Append(tokens, role);
        tokens.Add(LineFeed);
    }
}
