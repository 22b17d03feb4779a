using Mesh.Cli.Output;
using Mesh.Resources.Effective;
using Mesh.Simulation.Fleets;
using Spectre.Console;

namespace Mesh.Cli.Replay;

/// <summary>What a policy change would do to one load: both runs, which differ in nothing else.</summary>
/// <param name="Before">Run under the old policies.</param>
/// <param name="After">Run under the new ones.</param>
internal sealed record PolicyComparison(RunFigures Before, RunFigures After)
{
    /// <summary>Whether any figure differs.</summary>
    public bool Differs => Rows().Any(r => !r.Before.Equals(r.After)) || Flows().Any(f => f.Before != f.After);

    /// <summary>Every figure of the table.</summary>
    public IEnumerable<ComparedFigure> Rows()
    {
        yield return Row("goodput /s", f => f.GoodputPerSecond, "0.00");
        yield return Row("within SLO %", f => f.GoodputShare * 100, "0.0");
        yield return Row("refused", f => f.Refused, "0");
        foreach (var reason in Before.RefusedBy.Keys.Union(After.RefusedBy.Keys).Order(StringComparer.Ordinal))
            yield return Row($"refused: {reason}", f => f.RefusedBy.GetValueOrDefault(reason), "0");
        yield return Row("TTFT p50 ms", f => f.TtftMs.P50, "0.0");
        yield return Row("TTFT p90 ms", f => f.TtftMs.P90, "0.0");
        yield return Row("TTFT p99 ms", f => f.TtftMs.P99, "0.0");
        yield return Row("TPOT p50 ms", f => f.TpotMs.P50, "0.0");
        yield return Row("TPOT p90 ms", f => f.TpotMs.P90, "0.0");
        yield return Row("TPOT p99 ms", f => f.TpotMs.P99, "0.0");
        yield return Row("e2e p50 ms", f => f.E2eMs.P50, "0");
        yield return Row("e2e p90 ms", f => f.E2eMs.P90, "0");
        yield return Row("e2e p99 ms", f => f.E2eMs.P99, "0");
        yield return Row("prefix hits %", f => f.PrefixHitRatio * 100, "0.0");
        yield return Row("least busy / mean", f => f.LeastToMeanTokens, "0.00");
        yield return Row("busiest / mean", f => f.MostToMeanTokens, "0.00");
        yield return Row("cross-region %", f => f.CrossRegionShare * 100, "0.0");
    }

    /// <summary>Requests between each two regions.</summary>
    public IEnumerable<ComparedFlow> Flows()
    {
        for (var from = 0; from < After.Regions.Length; from++)
        {
            for (var to = 0; to < After.Regions.Length; to++)
                yield return new ComparedFlow(After.Regions[from], After.Regions[to], Before.Flows[from][to], After.Flows[from][to]);
        }
    }

    /// <summary>The same for machines.</summary>
    public ComparedRuns ToJson() => new(Before, After, Differs, [.. Flows().Where(f => f.Before != f.After)]);

    /// <summary>Writes the table and the flows that change.</summary>
    public void Write(ToolConsole console)
    {
        var table = new Table().Border(TableBorder.None);
        table.AddColumn(new TableColumn(new Text($"{After.Router} at {After.Load}", Palette.Heading)) { NoWrap = true });
        foreach (var head in (string[])["old", "new", "change"]) table.AddColumn(new TableColumn(new Text(head, Palette.Heading)) { Alignment = Justify.Right, NoWrap = true });
        foreach (var row in Rows())
            table.AddRow(
                new Text(row.Name), new Text(row.Text(row.Before)), new Text(row.Text(row.After)),
                new Text(row.Change() ?? "", row.Change() is null ? Palette.Dim : Palette.Heading));
        console.WriteTable(table);
        var flows = Flows().Where(f => f.Before != f.After).ToList();
        if (flows.Count == 0) return;
        console.WriteLine("Requests between regions that change", Palette.Heading);
        var columns = new Output.Columns();
        foreach (var flow in flows)
            columns.Add($"{flow.From} → {flow.To}:", ReplayText.Number($"{flow.Before} → {flow.After}"), ReplayText.Number($"{flow.After - flow.Before:+0;−0}"));
        columns.Write(console, 2);
    }

    private ComparedFigure Row(string name, Func<RunFigures, double> read, string format) => new(name, read(Before), read(After), format);
}

/// <summary>One figure of two runs.</summary>
internal sealed record ComparedFigure(string Name, double Before, double After, string Format)
{
    /// <summary>A value as the table shows it.</summary>
    public string Text(double value) => value.ToString(Format, System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>The difference, with that in percent where it says something; null where the table shows none.</summary>
    public string? Change()
    {
        if (Text(Before) == Text(After)) return null;
        var difference = After - Before;
        var sign = difference > 0 ? "+" : "−";
        var share = Before == 0 || Name.EndsWith('%') ? "" : ReplayText.Number($" ({sign}{Math.Abs(difference / Before) * 100:0.0}%)");
        return sign + Text(Math.Abs(difference)) + share;
    }
}

/// <summary>Requests from one region to another in two runs.</summary>
internal sealed record ComparedFlow(string From, string To, long Before, long After);

/// <summary>Both runs and the flows that change between them.</summary>
internal sealed record ComparedRuns(RunFigures Before, RunFigures After, bool Differs, IReadOnlyList<ComparedFlow> ChangedFlows);

/// <summary>The answer of <c>mesh replay --diff</c> in JSON.</summary>
internal sealed record ComparisonAnswer(string Old, string New, bool Differs, IReadOnlyList<ConfigChange> Changes, IReadOnlyList<ComparedRuns> Runs);
