using System.Text.Json;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>Reads <c>stream_options</c>.</summary>
internal static class StreamOptions
{
    /// <summary>Reads the value.</summary>
    /// <param name="reader">At the value; left at its last token.</param>
    /// <param name="facts">Takes what it says; what an earlier value of the same name said is forgotten.</param>
    /// <param name="offset">Bytes of the body before the reader's first.</param>
    public static void Read(ref Utf8JsonReader reader, ref BodyFacts facts, int offset)
    {
        facts.IncludeUsage = facts.ContinuousUsage = false;
        facts.IncludeUsageValue = default;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            facts.StreamOptions = reader.TokenType == JsonTokenType.Null ? StreamOptionsShape.Null : StreamOptionsShape.Other;
            reader.Skip();
            return;
        }

        facts.StreamOptions = StreamOptionsShape.Empty;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            facts.StreamOptions = StreamOptionsShape.Filled;
            var isUsage = reader.ValueTextEquals("include_usage"u8);
            var isContinuous = reader.ValueTextEquals("continuous_usage_stats"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            var isTrue = reader.TokenType == JsonTokenType.True;
            reader.Skip();
            if (isContinuous) facts.ContinuousUsage = isTrue;
            if (!isUsage) continue;
            facts.IncludeUsage = isTrue;
            facts.IncludeUsageValue = new ByteRange(start + offset, (int)reader.BytesConsumed - start);
        }
    }
}
