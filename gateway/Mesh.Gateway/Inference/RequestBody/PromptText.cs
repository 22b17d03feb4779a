using System.Text.Json;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>Counts prompt text. Images and other data that stand in a message as text (data URLs) are not counted.</summary>
internal static class PromptText
{
    /// <summary>A string, an array of strings, an array of token ids, or an array of arrays of token ids.</summary>
    /// <param name="reader">At the value; left at its last token.</param>
    /// <param name="facts">Counts are added here.</param>
    public static void CountPrompt(ref Utf8JsonReader reader, ref BodyFacts facts)
    {
        if (reader.TokenType == JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        CountToken(ref reader, ref facts);
        if (reader.TokenType != JsonTokenType.StartArray) return;
        var depth = reader.CurrentDepth;
        while (reader.Read() && !(reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == depth)) CountToken(ref reader, ref facts);
    }

    /// <summary>True when the value is an array of objects: items of a conversation rather than texts or token ids.</summary>
    /// <param name="reader">At the value; a copy, so that it stays there.</param>
    public static bool IsConversation(Utf8JsonReader reader) =>
        reader.TokenType == JsonTokenType.StartArray && reader.Read() && reader.TokenType == JsonTokenType.StartObject;

    /// <summary>A system prompt: a string, or an array of text blocks.</summary>
    /// <param name="reader">At the value; left at its last token.</param>
    /// <param name="facts">Counts are added here.</param>
    /// <param name="tokens">Added for the message that it makes.</param>
    public static void CountSystem(ref Utf8JsonReader reader, ref BodyFacts facts, int tokens)
    {
        if (reader.TokenType is JsonTokenType.String or JsonTokenType.StartArray) facts.PromptFixedTokens += tokens;
        if (reader.TokenType == JsonTokenType.String) facts.PromptTextBytes += TextBytes(ref reader);
        else CountMessages(ref reader, ref facts, tokensPerMessage: 0);
    }

    /// <summary>An array of messages: text of contents, of content parts and of tool calls.</summary>
    /// <param name="reader">At the value; left at its last token.</param>
    /// <param name="facts">Counts are added here.</param>
    /// <param name="tokensPerMessage">Added for every message.</param>
    public static void CountMessages(ref Utf8JsonReader reader, ref BodyFacts facts, int tokensPerMessage)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }

        var depth = reader.CurrentDepth;
        var isText = false;
        while (reader.Read() && !(reader.TokenType == JsonTokenType.EndArray && reader.CurrentDepth == depth))
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject when reader.CurrentDepth == depth + 1:
                    facts.PromptFixedTokens += tokensPerMessage;
                    break;
                case JsonTokenType.PropertyName:
                    isText = reader.ValueTextEquals("content"u8) || reader.ValueTextEquals("text"u8) || reader.ValueTextEquals("arguments"u8)
                        || reader.ValueTextEquals("reasoning_content"u8) || reader.ValueTextEquals("refusal"u8)
                        || reader.ValueTextEquals("output"u8) || reader.ValueTextEquals("thinking"u8);
                    break;
                case JsonTokenType.String when isText:
                    facts.PromptTextBytes += TextBytes(ref reader);
                    break;
            }
        }
    }

    private static void CountToken(ref Utf8JsonReader reader, ref BodyFacts facts)
    {
        if (reader.TokenType == JsonTokenType.String) facts.PromptTextBytes += TextBytes(ref reader);
        else if (reader.TokenType == JsonTokenType.Number) facts.PromptFixedTokens++;
    }

    // An escape is six bytes for a character that is about three in UTF-8, or two for one.
    private static long TextBytes(ref Utf8JsonReader reader)
    {
        var value = reader.ValueSpan;
        long bytes = value.Length;
        if (!reader.ValueIsEscaped) return bytes;
        for (var next = value.IndexOf((byte)'\\'); next >= 0 && next + 1 < value.Length; next = value.IndexOf((byte)'\\'))
        {
            var isUnicode = value[next + 1] == (byte)'u';
            bytes -= isUnicode ? 3 : 1;
            value = value[Math.Min(next + (isUnicode ? 6 : 2), value.Length)..];
        }

        return bytes;
    }
}
