using System.Text.Json;

namespace Mesh.Cli.Load;

/// <summary>Token counts that an answer tells; -1 where it does not.</summary>
internal readonly record struct Usage(int PromptTokens, int CompletionTokens, int CachedTokens)
{
    public static Usage None { get; } = new(-1, -1, -1);

    /// <summary>Reads the top-level <c>usage</c> of an answer or of an event.</summary>
    public static Usage Read(ReadOnlySpan<byte> json)
    {
        var usage = None;
        try
        {
            var reader = new Utf8JsonReader(json);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 1) continue;
                if (!reader.ValueTextEquals("usage"u8))
                {
                    reader.Skip();
                    continue;
                }

                reader.Read();
                if (reader.TokenType != JsonTokenType.StartObject) return usage;
                while (reader.Read() && reader.CurrentDepth > 1) usage = Take(ref reader, usage);
                return usage;
            }
        }
        catch (JsonException)
        {
            // An answer that is not JSON tells nothing.
        }

        return usage;
    }

    private static Usage Take(ref Utf8JsonReader reader, Usage usage)
    {
        if (reader.TokenType != JsonTokenType.PropertyName) return usage;
        var (isPrompt, isCompletion, isCached) =
            (reader.ValueTextEquals("prompt_tokens"u8), reader.ValueTextEquals("completion_tokens"u8), reader.ValueTextEquals("cached_tokens"u8));
        if (!(isPrompt || isCompletion || isCached) || !reader.Read()) return usage;
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number) || number < 0) return usage;
        return isPrompt ? usage with { PromptTokens = number }
            : isCompletion ? usage with { CompletionTokens = number }
            : usage with { CachedTokens = number };
    }
}
