using System.Globalization;
using Mesh.Cli.Output;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;
using Spectre.Console;

namespace Mesh.Cli.Replay;

/// <summary>Figures of runs as a table for people: a row for each run or, where a screen is too narrow for that, a column.</summary>
internal static class ReplayText
{
    // The second is what a figure is called where it stands alone.
    private static readonly (string Short, string Full)[] Heads =
    [
        ("router", "router"), ("load", "load"), ("offered/s", "offered/s"), ("goodput/s", "goodput/s"), ("within SLO", "within SLO"), ("refused", "refused"),
        ("TTFT ms p50", "TTFT ms p50"), ("p90", "TTFT ms p90"), ("p99", "TTFT ms p99"), ("TPOT ms p50", "TPOT ms p50"), ("p90", "TPOT ms p90"), ("p99", "TPOT ms p99"),
        ("e2e s p50", "e2e s p50"), ("p90", "e2e s p90"), ("p99", "e2e s p99"), ("prefix hits", "prefix hits"), ("spread", "spread"), ("cross-region", "cross-region"),
    ];

    private static readonly (string Short, string Full)[] FleetHeads = [("fleet", "fleet")];

    private static readonly (string Short, string Full)[] CostHeads = [("cost/h", "cost/h"), ("cost/1M good", "cost per 1M good")];

    /// <summary>Writes the table, and below it why requests were refused and where they went.</summary>
    public static void Write(ToolConsole console, IReadOnlyList<RunFigures> runs)
    {
        var isPriced = runs.Any(r => r.CostPerHour is not null);
        var hasFleets = runs.Any(r => r.Fleet is not null);
        (string Short, string Full)[] heads = [.. Heads[..2], .. hasFleets ? FleetHeads : [], .. Heads[2..], .. isPriced ? CostHeads : []];
        List<string[]> rows = [.. runs.Select(r => Cells(r, hasFleets, isPriced).Select(Printable.Of).ToArray())];
        var width = heads.Select((h, i) => Math.Max(h.Short.Length, rows.Max(r => r[i].Length)) + 1).Sum() - 1;
        if (console.Width() is { } screen && screen < width) WriteUpright(console, heads, rows, screen);
        else WriteRows(console, heads, rows, hasFleets ? 3 : 2);
        foreach (var run in runs.Where(r => r.Refused > 0))
            console.WriteLine($"{Name(run)} refused {string.Join(", ", run.RefusedBy.Select(r => Number($"{r.Value} {r.Key}")))}");
        foreach (var run in runs.Where(r => r.CrossRegionShare > 0))
        {
            for (var from = 0; from < run.Regions.Length; from++)
            {
                if (Flow(run, from) is { } flow) console.WriteLine($"{Name(run)} from {flow}");
            }
        }
    }

    /// <summary>What a run is called.</summary>
    public static string Name(RunFigures run) => run.Fleet is null ? $"{run.Router} at {run.Load}" : $"{run.Router} at {run.Load} on {run.Fleet}";

    /// <summary>For example <c>0.95</c>; a number in the invariant culture.</summary>
    public static string Number(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static void WriteRows(ToolConsole console, (string Short, string Full)[] heads, List<string[]> rows, int names)
    {
        var table = new Table().Border(TableBorder.None);
        for (var i = 0; i < heads.Length; i++) table.AddColumn(Column(heads[i].Short, i < names));
        foreach (var row in rows) table.AddRow(row.Select(c => new Text(c)));
        console.WriteTable(table);
    }

    // As many runs side by side as fit, one at least; the others below.
    private static void WriteUpright(ToolConsole console, (string Short, string Full)[] heads, List<string[]> rows, int screen)
    {
        var names = heads.Max(h => h.Full.Length);
        for (var first = 0; first < rows.Count;)
        {
            var width = names;
            var end = first;
            while (end < rows.Count && (end == first || width + 1 + rows[end].Max(c => c.Length) <= screen)) width += 1 + rows[end++].Max(c => c.Length);
            if (first > 0) console.WriteLine();
            var table = new Table().Border(TableBorder.None);
            table.AddColumn(Column(heads[0].Full, isName: true));
            for (var run = first; run < end; run++) table.AddColumn(Column(rows[run][0], isName: false));
            for (var i = 1; i < heads.Length; i++) table.AddRow([new Text(heads[i].Full, Palette.Heading), .. rows[first..end].Select(r => new Text(r[i]))]);
            console.WriteTable(table);
            first = end;
        }
    }

    private static TableColumn Column(string head, bool isName) => new(new Text(head, Palette.Heading)) { Alignment = isName ? Justify.Left : Justify.Right, NoWrap = true };

    private static string? Flow(RunFigures run, int from)
    {
        var sum = run.Flows[from].Sum();
        if (sum == 0 || run.Flows[from][from] == sum) return null;
        var parts = run.Regions.Select((name, to) => (Name: name, To: to, Share: 100.0 * run.Flows[from][to] / sum)).Where(p => p.Share > 0).OrderBy(p => p.To != from);
        return $"{run.Regions[from]}: {string.Join(", ", parts.Select(p => Number($"{p.Share:0.0}% {(p.To == from ? "stays" : "to " + p.Name)}")))}";
    }

    private static IEnumerable<string> Cells(RunFigures r, bool hasFleets, bool isPriced)
    {
        IEnumerable<string> cells =
        [
            r.Router, r.Load, .. hasFleets ? [r.Fleet ?? ""] : Array.Empty<string>(),
            Number($"{r.OfferedPerSecond:0.00}"), Number($"{r.GoodputPerSecond:0.00}"), Number($"{r.GoodputShare * 100:0.0}%"), Number($"{r.Refused}"),
            .. Three(r.TtftMs, "0", 1), .. Three(r.TpotMs, "0.0", 1), .. Three(r.E2eMs, "0.00", 0.001),
            Number($"{r.PrefixHitRatio * 100:0.0}%"),
            Number($"{r.LeastToMeanTokens:0.00}–{r.MostToMeanTokens:0.00}"),
            r.Regions.Length > 1 ? Number($"{r.CrossRegionShare * 100:0.0}%") : "–",
        ];
        return isPriced ? [.. cells, Money(r.CostPerHour), Money(r.CostPerMillionGoodTokens)] : cells;
    }

    private static string Money(double? amount) => amount is { } known ? Number($"{known:0.00}") : "–";

    private static string[] Three(Percentiles p, string format, double factor) =>
    [
        (p.P50 * factor).ToString(format, CultureInfo.InvariantCulture),
        (p.P90 * factor).ToString(format, CultureInfo.InvariantCulture),
        (p.P99 * factor).ToString(format, CultureInfo.InvariantCulture),
    ];
}
