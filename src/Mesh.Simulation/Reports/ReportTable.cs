using System.Globalization;
using System.Text;

namespace Mesh.Simulation.Reports;

/// <summary>Reports as a table of plain text, one row per router.</summary>
internal static class ReportTable
{
    private static readonly string[] Heads =
        ["router", "load", "offered/s", "goodput/s", "refused", "TTFT p50", "p90", "p99 ms", "TPOT p50", "p90", "p99 ms", "e2e p50", "p90", "p99 ms", "prefix hits", "spread"];

    /// <summary>The table, with a line end after each row.</summary>
    public static string Of(IReadOnlyList<(string Load, RunReport Report)> runs)
    {
        List<string[]> rows = [Heads];
        foreach (var (load, report) in runs) rows.Add(Cells(load, report));
        var widths = new int[Heads.Length];
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++) widths[i] = Math.Max(widths[i], row[i].Length);
        }

        var text = new StringBuilder();
        foreach (var row in rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                if (i > 0) text.Append("  ");
                text.Append(i == 0 ? row[i].PadRight(widths[i]) : row[i].PadLeft(widths[i]));
            }

            text.Append('\n');
        }

        return text.ToString();
    }

    private static string[] Cells(string load, RunReport r) =>
    [
        r.Router,
        load,
        Format(r.OfferedPerSecond, "0.00"),
        Format(r.GoodputPerSecond, "0.00"),
        r.Refused.ToString(CultureInfo.InvariantCulture),
        Format(r.Ttft.P50, "0"), Format(r.Ttft.P90, "0"), Format(r.Ttft.P99, "0"),
        Format(r.Tpot.P50, "0.0"), Format(r.Tpot.P90, "0.0"), Format(r.Tpot.P99, "0.0"),
        Format(r.E2e.P50, "0"), Format(r.E2e.P90, "0"), Format(r.E2e.P99, "0"),
        Format(r.PrefixHitRatio * 100, "0.0") + "%",
        Format(r.Spread.LeastToMean, "0.00") + "–" + Format(r.Spread.MostToMean, "0.00"),
    ];

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
