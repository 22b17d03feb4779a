using System.Text.Json;
using Mesh.Simulation.Fleets;
using Mesh.Simulation.Reports;

namespace Mesh.Cli.Replay;

/// <summary>A page that shows runs and asks nothing of any server: its figures and its script stand in it.</summary>
internal static class PlotPage
{
    private const string Placeholder = "\"RUNS\"";
    private const int MostRows = 128;

    private static readonly JsonSerializerOptions Options = new() { PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The page.</summary>
    /// <param name="runs">What it shows.</param>
    /// <param name="slo">What made a request count as good.</param>
    /// <param name="title">What was played.</param>
    public static string Of(IReadOnlyList<RunTrack> runs, SloTarget slo, string title)
    {
        using var stream = typeof(PlotPage).Assembly.GetManifestResourceStream("plot.html") ?? throw new InvalidOperationException("The page is not built in.");
        using var reader = new StreamReader(stream);
        // The encoder spells out what could end the script.
        var data = JsonSerializer.Serialize(new PlotData(title, slo.TtftMs, slo.TpotMs, [.. runs.Select(Of)]), Options);
        return reader.ReadToEnd().Replace(Placeholder, data, StringComparison.Ordinal);
    }

    private static PlotRun Of(RunTrack run)
    {
        var figures = run.Figures;
        return new PlotRun(
            ReplayText.Name(figures),
            [.. run.TtftQuantilesMs.Select(ms => Math.Round(ms, 2))],
            figures.GoodputShare,
            figures.Requests,
            figures.Refused,
            figures.TtftMs.P50,
            figures.TtftMs.P90,
            figures.TtftMs.P99,
            figures.TpotMs.P90,
            [.. figures.Regions],
            [.. figures.Flows.Select(row => row.ToArray())],
            run.Load.SpanMs / 1000,
            EndpointsPerRow(run),
            [.. Rows(run)]);
    }

    private static int EndpointsPerRow(RunTrack run) => (run.RegionOf.Length + MostRows - 1) / MostRows;

    // A thousand endpoints are shown in groups of neighbours: rows of less than a few pixels tell nothing.
    private static IEnumerable<PlotRow> Rows(RunTrack run)
    {
        var perRow = EndpointsPerRow(run);
        var inOrder = Enumerable.Range(0, run.RegionOf.Length).OrderBy(e => run.RegionOf[e]).ThenBy(e => e).GroupBy(e => run.RegionOf[e]);
        foreach (var region in inOrder)
        {
            foreach (var group in region.Chunk(perRow))
            {
                var sums = new double[run.Load.Spans];
                foreach (var endpoint in group)
                {
                    var row = run.Load.Row(endpoint);
                    for (var i = 0; i < sums.Length; i++) sums[i] += row[i];
                }

                var name = group.Length == 1 ? ReplayText.Number($"endpoint {group[0]}") : ReplayText.Number($"endpoints {group[0]}–{group[^1]}");
                yield return new PlotRow(name, run.Figures.Regions[region.Key], [.. sums.Select(s => Math.Round(s / group.Length, 2))]);
            }
        }
    }

    private sealed record PlotData(string Title, double SloTtftMs, double SloTpotMs, PlotRun[] Runs);

    private sealed record PlotRun(
        string Name, double[] Ttft, double GoodputShare, int Requests, int Refused, double P50, double P90, double P99, double TpotP90, string[] Regions, long[][] Flows, double SpanSeconds, int PerRow, PlotRow[] Rows);

    private sealed record PlotRow(string Name, string Region, double[] Load);
}
