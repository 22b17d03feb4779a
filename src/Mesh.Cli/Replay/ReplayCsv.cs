using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Simulation.Fleets;

namespace Mesh.Cli.Replay;

/// <summary>Figures of runs for spreadsheets: a line of names, then a line for each run. Numbers are whole, as JSON has them; what is not known is empty.</summary>
internal static class ReplayCsv
{
    private static readonly (string Name, Func<RunFigures, object?> Read)[] Columns =
    [
        ("router", r => r.Router), ("load", r => r.Load), ("fleet", r => r.Fleet), ("seed", r => r.Seed), ("requests", r => r.Requests), ("refused", r => r.Refused),
        ("offeredPerSecond", r => r.OfferedPerSecond), ("goodputPerSecond", r => r.GoodputPerSecond), ("goodputShare", r => r.GoodputShare),
        ("ttftMeanMs", r => r.TtftMs.Mean), ("ttftP50Ms", r => r.TtftMs.P50), ("ttftP90Ms", r => r.TtftMs.P90), ("ttftP99Ms", r => r.TtftMs.P99),
        ("tpotMeanMs", r => r.TpotMs.Mean), ("tpotP50Ms", r => r.TpotMs.P50), ("tpotP90Ms", r => r.TpotMs.P90), ("tpotP99Ms", r => r.TpotMs.P99),
        ("e2eMeanMs", r => r.E2eMs.Mean), ("e2eP50Ms", r => r.E2eMs.P50), ("e2eP90Ms", r => r.E2eMs.P90), ("e2eP99Ms", r => r.E2eMs.P99),
        ("promptTokens", r => r.PromptTokens), ("outputTokens", r => r.OutputTokens), ("prefixHitRatio", r => r.PrefixHitRatio),
        ("leastToMeanTokens", r => r.LeastToMeanTokens), ("mostToMeanTokens", r => r.MostToMeanTokens), ("crossRegionShare", r => r.CrossRegionShare),
        ("costPerHour", r => r.CostPerHour), ("costPerMillionGoodTokens", r => r.CostPerMillionGoodTokens), ("virtualSeconds", r => r.VirtualSeconds), ("events", r => r.Events),
    ];

    /// <summary>Writes the lines.</summary>
    public static void Write(ToolConsole console, IReadOnlyList<RunFigures> runs)
    {
        console.Out.Write(string.Join(',', Columns.Select(c => c.Name)) + "\n");
        foreach (var run in runs) console.Out.Write(string.Join(',', Columns.Select(c => Field(c.Read(run)))) + "\n");
    }

    private static string Field(object? value)
    {
        var text = Convert.ToString(value, CultureInfo.InvariantCulture) ?? "";
        return text.AsSpan().ContainsAny(",\"\n") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;
    }
}
