using System.Globalization;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Traces;

/// <summary>Azure's CSV of 2023: <c>TIMESTAMP,ContextTokens,GeneratedTokens</c>. It tells nothing of contents: no two prompts share anything, and every request is a session.</summary>
internal static class AzureTrace
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens";
    private const int MostTokens = 1 << 24;

    /// <summary>Reads rows until the end of <paramref name="lines"/>, or <paramref name="most"/> of them after leaving out <paramref name="skip"/>.</summary>
    /// <exception cref="TraceFormatException">A line is not such a row.</exception>
    public static List<TraceRequest> Read(IEnumerable<string> lines, string source, int skip = 0, int most = int.MaxValue)
    {
        List<TraceRequest> rows = [];
        var number = 0L;
        DateTime? first = null;
        foreach (var line in lines)
        {
            if (++number == 1)
            {
                if (line.Trim().TrimStart('\uFEFF') != Header) throw new TraceFormatException(source, number, $"the header {Header} is expected.");
                continue;
            }

            if (string.IsNullOrWhiteSpace(line)) continue;
            if (skip-- > 0) continue;
            if (rows.Count >= most) break;
            var row = Parse(line, source, number, ref first);
            if (rows.Count > 0 && row.ArrivalMs < rows[^1].ArrivalMs) throw new TraceFormatException(source, number, "TIMESTAMP falls: rows must be in order of time.");
            rows.Add(row);
        }

        return rows;
    }

    private static TraceRequest Parse(string line, string source, long number, ref DateTime? first)
    {
        var fields = line.Split(',');
        if (fields.Length != 3) throw new TraceFormatException(source, number, $"three fields are expected, not {fields.Length}.");
        if (!DateTime.TryParse(fields[0], CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time))
            throw new TraceFormatException(source, number, $"TIMESTAMP '{fields[0]}' is not a date and time.");
        first ??= time;
        return new TraceRequest
        {
            ArrivalMs = (double)(time - first.Value).Ticks / TimeSpan.TicksPerMillisecond,
            PromptTokens = Tokens("ContextTokens", fields[1], source, number),
            OutputTokens = Tokens("GeneratedTokens", fields[2], source, number),
            Session = BlockHash.OfTraceBlock(-number),
        };
    }

    private static int Tokens(string name, string field, string source, long number) =>
        int.TryParse(field, NumberStyles.None, CultureInfo.InvariantCulture, out var tokens) && tokens is >= 1 and <= MostTokens
            ? tokens
            : throw new TraceFormatException(source, number, $"{name} '{field.Trim()}' must be a whole number, 1 to {MostTokens}.");
}
