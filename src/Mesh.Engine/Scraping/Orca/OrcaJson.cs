using System.Text.Json;

namespace Mesh.Engine.Scraping.Orca;

/// <summary>A load report as JSON, with the names of the message's fields as they are written there or in camel case.</summary>
internal static class OrcaJson
{
    private static readonly JsonReaderOptions Options = new() { MaxDepth = 8 };

    /// <summary>Reads it; false when it is broken or tells nothing that is known.</summary>
    public static bool TryParse(ReadOnlySpan<byte> json, out OrcaReport report)
    {
        report = default;
        try
        {
            var reader = new Utf8JsonReader(json, Options);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("named_metrics"u8) || reader.ValueTextEquals("namedMetrics"u8) || reader.ValueTextEquals("utilization"u8))
                    ReadNamed(ref reader, ref report);
                else
                    ReadField(ref reader, ref report, named: false);
            }

            // What stands behind the object makes the whole doubtful.
            if (reader.Read()) report = default;
        }
        catch (JsonException)
        {
            report = default;
        }

        return !report.IsEmpty;
    }

    private static void ReadNamed(ref Utf8JsonReader reader, ref OrcaReport report)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName) ReadField(ref reader, ref report, named: true);
    }

    private static void ReadField(ref Utf8JsonReader reader, ref OrcaReport report, bool named)
    {
        // A name with escapes is none of those that are known.
        var name = reader.ValueIsEscaped ? default : reader.ValueSpan;
        if (!reader.Read()) return;
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var value)) report = named ? report.WithNamed(name, value) : report.With(name, value);
        else reader.Skip();
    }
}
