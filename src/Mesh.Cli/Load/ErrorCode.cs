using System.Text.Json;

namespace Mesh.Cli.Load;

/// <summary>The code in an error object, as OpenAI, Anthropic and vLLM shape it.</summary>
internal static class ErrorCode
{
    private const int MaxChars = 64;

    /// <summary>Whether the event is an object with a top-level <c>error</c> that says something.</summary>
    public static bool Has(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1) continue;
                if (reader.ValueTextEquals("error"u8)) return reader.Read() && reader.TokenType != JsonTokenType.Null;
                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // Not JSON, so no error object either.
        }

        return false;
    }

    /// <summary>The code where it is a word, else the type, else the code as a number; null where neither is told. At most 64 characters.</summary>
    public static string? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            using var document = JsonDocument.ParseValue(ref reader);
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) return null;
            var error = root.TryGetProperty("error", out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : root;
            // vLLM's code is the status once more; its type says what is wrong.
            var code = Text(error, "code");
            return code is null || int.TryParse(code, out _) ? Text(error, "type") ?? code : code;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonElement error, string name)
    {
        if (!error.TryGetProperty(name, out var value)) return null;
        var text = value.ValueKind switch { JsonValueKind.String => value.GetString(), JsonValueKind.Number => value.GetRawText(), _ => null };
        return string.IsNullOrEmpty(text) ? null : text.Length > MaxChars ? text[..MaxChars] : text;
    }
}
