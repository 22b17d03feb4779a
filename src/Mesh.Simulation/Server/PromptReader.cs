using System.Text.Json;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Server;

/// <summary>Turns the prompts of a body into tokens.</summary>
internal static class PromptReader
{
    private const int MaxPrompts = 1024;

    private static readonly int LineFeed = Token.WhiteSpace(1, 1);

    /// <summary>Reads <c>prompt</c>: a string, an array of strings, an array of tokens, or an array of arrays of tokens.</summary>
    public static List<Prompt> Completion(FieldReader body, bool addBeginning)
    {
        List<Prompt> prompts = [];
        if (!body.TryGet("prompt", out var value))
        {
            body.Fail("prompt is missing.", "prompt");
            return prompts;
        }

        if (value.ValueKind == JsonValueKind.String) prompts.Add(FromText(value.GetString()!, addBeginning));
        else if (value.ValueKind != JsonValueKind.Array || value.GetArrayLength() == 0) body.Fail("prompt must be a string, an array of strings, or an array of tokens, and not empty.", "prompt");
        else if (value[0].ValueKind == JsonValueKind.Number) AddTokens(body, prompts, value);
        else AddEach(body, prompts, value, addBeginning);
        return prompts;
    }

    /// <summary>Reads <c>messages</c> through the template: start, role, line feed, content, end; then the head of the assistant's answer.</summary>
    public static List<Prompt> Chat(FieldReader body)
    {
        if (!body.TryGet("messages", out var messages) || messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            body.Fail("messages is missing or not a non-empty array.", "messages");
            return [];
        }

        List<int> tokens = [Token.BeginOfText];
        var place = 0;
        foreach (var message in messages.EnumerateArray())
        {
            if (message.ValueKind != JsonValueKind.Object || !message.TryGetProperty("role", out var role) || role.ValueKind != JsonValueKind.String)
            {
                body.Fail($"messages[{place}] has no role.", "messages");
                return [];
            }

            AppendHead(tokens, role.GetString()!);
            if (message.TryGetProperty("content", out var content)) AppendContent(body, tokens, content, place);
            tokens.Add(Token.MessageEnd);
            place++;
        }

        AppendHead(tokens, "assistant");
        return [new Prompt([.. tokens], null)];
    }

    public static Prompt FromText(string text, bool addBeginning)
    {
        List<int> tokens = new(8 + (text.Length / 4));
        if (addBeginning) tokens.Add(Token.BeginOfText);
        Tokenizer.Append(tokens, text);
        return new Prompt([.. tokens], text);
    }

    /// <summary>Reads one array of tokens; null when it is none.</summary>
    public static int[]? TokenArray(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array) return null;
        var tokens = new int[value.GetArrayLength()];
        var i = 0;
        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Number || !item.TryGetInt32(out var token) || token < 0) return null;
            tokens[i++] = token;
        }

        return tokens;
    }

    private static void AddEach(FieldReader body, List<Prompt> prompts, JsonElement value, bool addBeginning)
    {
        if (value.GetArrayLength() > MaxPrompts)
        {
            body.Fail($"prompt has more than {MaxPrompts} entries.", "prompt");
            return;
        }

        foreach (var item in value.EnumerateArray())
        {
            if (item.ValueKind == JsonValueKind.String) prompts.Add(FromText(item.GetString()!, addBeginning));
            else AddTokens(body, prompts, item);
        }
    }

    private static void AddTokens(FieldReader body, List<Prompt> prompts, JsonElement value)
    {
        if (TokenArray(value) is { Length: > 0 } tokens) prompts.Add(new Prompt(tokens, null));
        else body.Fail("A prompt of tokens must be a non-empty array of integers from 0 up.", "prompt");
    }

    private static void AppendHead(List<int> tokens, string role)
    {
        tokens.Add(Token.MessageStart);
        Tokenizer.Append(tokens, role);
        tokens.Add(LineFeed);
    }

    private static void AppendContent(FieldReader body, List<int> tokens, JsonElement content, int place)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            Tokenizer.Append(tokens, content.GetString());
            return;
        }

        if (content.ValueKind == JsonValueKind.Null) return;
        if (content.ValueKind != JsonValueKind.Array)
        {
            body.Fail($"messages[{place}].content must be a string or an array of parts.", "messages");
            return;
        }

        foreach (var part in content.EnumerateArray())
        {
            if (part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String) Tokenizer.Append(tokens, text.GetString());
            else body.Fail($"messages[{place}].content has a part that is not text: this model takes text only.", "messages");
        }
    }
}
