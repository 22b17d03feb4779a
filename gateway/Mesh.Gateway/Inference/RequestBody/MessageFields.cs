using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>Where the fields of one chat message stand that a template puts into the prompt, in the order in which they count.</summary>
[InlineArray(Count)]
internal struct MessageFields
{
    /// <summary>Fields.</summary>
    public const int Count = 9;

    /// <summary>Index of <c>content</c>.</summary>
    public const int Content = 3;

    private ByteRange _first;

    /// <summary>Reads a message.</summary>
    /// <param name="reader">At the message's start; left at its end.</param>
    public static MessageFields Read(ref Utf8JsonReader reader)
    {
        var fields = default(MessageFields);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var field = IndexOf(ref reader);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            if (field >= 0) fields[field] = new ByteRange(start, (int)reader.BytesConsumed - start);
        }

        return fields;
    }

    /// <summary>Finds the string of a text part; empty when the part is none.</summary>
    /// <param name="reader">At the part's start; left at its end.</param>
    public static ByteRange ReadText(ref Utf8JsonReader reader)
    {
        var text = default(ByteRange);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isText = reader.ValueTextEquals("text"u8);
            reader.Read();
            if (isText && reader.TokenType == JsonTokenType.String) text = new ByteRange((int)reader.TokenStartIndex, reader.ValueSpan.Length + 2);
            reader.Skip();
        }

        return text;
    }

    private static int IndexOf(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("role"u8)) return 0;
        if (reader.ValueTextEquals("content"u8)) return Content;
        if (reader.ValueTextEquals("tool_calls"u8)) return 4;
        if (reader.ValueTextEquals("tool_call_id"u8)) return 5;
        if (reader.ValueTextEquals("name"u8)) return 1;
        if (reader.ValueTextEquals("reasoning_content"u8)) return 2;
        // Calls and their results are items of their own in the Responses API.
        if (reader.ValueTextEquals("call_id"u8)) return 6;
        if (reader.ValueTextEquals("arguments"u8)) return 7;
        return reader.ValueTextEquals("output"u8) ? 8 : -1;
    }
}
