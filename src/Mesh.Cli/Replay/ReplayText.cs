using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;
using Spectre.Console;

namespace Mesh.Cli.Replay;

/// <summary>Figures of runs as a table for people.</summary>
internal static class ReplayText
{
    private static readonly string[] Heads =
        ["router", "load", "offered/s", "goodput/s", "within SLO", "refused", "TTFT ms p50", "p90", "p99", "TPOT ms p50", "p90", "p99", "e2e s p50", "p90", "p99", "prefix hits", "spread", "cross-region"];

    /// <summary>Writes the table, and below it why requests were refused and where they went.</summary>
    public static void Write(ToolConsole console, IReadOnlyList<RunFigures> runs)
    {
        var table = new Table().Border(TableBorder.None);
        for (var i = 0; i < Heads.Length; i++) table.AddColumn(new TableColumn(new Text(Heads[i], Palette.Heading)) { Alignment = i < 2 ? Justify.Left : Justify.Right, NoWrap = true });
        foreach (var run in runs) table.AddRow(Cells(run).Select(c => new Text(Printable.Of(c))));
        console.WriteTable(table);
        foreach (var run in runs.Where(r => r.Refused > 0))
            console.WriteLine($"{run.Router} at {run.Load} refused {string.Join(", ", run.RefusedBy.Select(r => Number($"{r.Value} {r.Key}")))}");
        foreach (var run in runs.Where(r => r.CrossRegionShare > 0))
        {
            for (var from = 0; from < run.Regions.Length; from++)
            {
                if (Flow(run, from) is { } flow) console.WriteLine($"{run.Router} at {run.Load} from {flow}");
            }
        }
    }

    /// <summary>For example <c>0.95</c>; a number in the invariant culture.</summary>
    public static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static string? Flow(RunFigures run, int from)
    {
        var sum = run.Flows[from].Sum();
        if (sum == 0 || run.Flows[from][from] == sum) return null;
        var parts = run.Regions.Select((name, to) => (Name: name, To: to, Share: 100.0 * run.Flows[from][to] / sum)).Where(p => p.Share > 0).OrderBy(p => p.To != from);
        return $"{run.Regions[from]}: {string.Join(", ", parts.Select(p => Number($"{p.Share:0.0}% {(p.To == from ? "stays" : "to " + p.Name)}")))}";
    }

    private static string[] Cells(RunFigures r) =>
    [
        r.Router, r.Load,
        Number($"{r.OfferedPerSecond:0.00}"), Number($"{r.GoodputPerSecond:0.00}"), Number($"{r.GoodputShare * 100:0.0}%"), Number($"{r.Refused}"),
        .. Three(r.TtftMs, "0", 1), .. Three(r.TpotMs, "0.0", 1), .. Three(r.E2eMs, "0.00", 0.001),
        Number($"{r.PrefixHitRatio * 100:0.0}%"),
        Number($"{r.LeastToMeanTokens:0.00}–{r.MostToMeanTokens:0.00}"),
        r.Regions.Length > 1 ? Number($"{r.CrossRegionShare * 100:0.0}%") : "–",
    ];

    private static string[] Three(Percentiles p, string format, double factor) =>
    [
        (p.P50 * factor).ToString(format, CultureInfo.InvariantCulture),
        (p.P90 * factor).ToString(format, CultureInfo.InvariantCulture),
        (p.P99 * factor).ToString(format, CultureInfo.InvariantCulture),
    ];
}
