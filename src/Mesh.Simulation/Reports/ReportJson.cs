using System.Text;
using System.Text.Json;

namespace Mesh.Simulation.Reports;

/// <summary>Reports as JSON with every figure; equal runs give equal bytes.</summary>
internal static class ReportJson
{
    /// <summary>A list with one object per run.</summary>
    public static string Of(IReadOnlyList<(string Load, RunReport Report)> runs)
    {
        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true }))
        {
            writer.WriteStartArray();
            foreach (var (load, report) in runs) Write(writer, load, report);
            writer.WriteEndArray();
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Write(Utf8JsonWriter writer, string load, RunReport report)
    {
        writer.WriteStartObject();
        writer.WriteString("router", report.Router);
        writer.WriteString("load", load);
        writer.WriteNumber("requests", report.Requests);
        writer.WriteNumber("refused", report.Refused);
        writer.WriteNumber("offeredPerSecond", report.OfferedPerSecond);
        writer.WriteNumber("goodputPerSecond", report.GoodputPerSecond);
        Write(writer, "ttftMs", report.Ttft);
        Write(writer, "tpotMs", report.Tpot);
        Write(writer, "e2eMs", report.E2e);
        writer.WriteNumber("prefixHitRatio", report.PrefixHitRatio);
        writer.WriteNumber("leastToMeanTokens", report.Spread.LeastToMean);
        writer.WriteNumber("mostToMeanTokens", report.Spread.MostToMean);
        writer.WriteNumber("virtualSeconds", report.VirtualSeconds);
        writer.WriteNumber("events", report.Events);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, Percentiles value)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("mean", value.Mean);
        writer.WriteNumber("p50", value.P50);
        writer.WriteNumber("p90", value.P90);
        writer.WriteNumber("p99", value.P99);
        writer.WriteEndObject();
    }
}
