using System.Globalization;
using Mesh.Cli.Output;

namespace Mesh.Cli.Load;

/// <summary>Results of a run for people.</summary>
internal static class LoadText
{
    private const int MaxRows = 20;

    public static void Write(ToolConsole console, LoadReport report)
    {
        WriteSummary(console, report);
        WriteDistributions(console, report);
        WriteRows(console, "errors", [.. report.Errors.Select(e => (e.Detail is null ? Words(e.Kind) : $"{Words(e.Kind)}: {e.Detail}", e.Count, (double?)null))], Palette.Error);
        WriteRows(console, "endpoints", [.. report.Endpoints.Select(e => (e.Endpoint, e.Count, (double?)e.Share))], Palette.Heading);
        foreach (var warning in report.Warnings)
        {
            console.Write("warning", Palette.Warning);
            console.WriteLine($": {warning}");
        }
    }

    /// <summary>For example <c>status</c> or <c>cut without [DONE]</c>.</summary>
    public static string Words(OutcomeKind kind) => kind switch
    {
        OutcomeKind.Connect => "connect",
        OutcomeKind.Timeout => "timeout",
        OutcomeKind.Status => "status",
        OutcomeKind.Broken => "broken connection",
        OutcomeKind.BrokenStream => "broken stream",
        OutcomeKind.StreamError => "error in the stream",
        OutcomeKind.Cut => "cut without [DONE]",
        OutcomeKind.Malformed => "malformed answer",
        OutcomeKind.NotSent => "not sent",
        OutcomeKind.Interrupted => "interrupted",
        _ => "answered",
    };

    private static void WriteSummary(ToolConsole console, LoadReport report)
    {
        var (requests, tokens, goodput) = (report.Requests, report.Tokens, report.Goodput);
        console.Write(report.Url, Palette.Heading);
        console.WriteLine(Text($": {report.Seconds:0.0} s{(report.Interrupted ? ", interrupted" : "")}, seed {report.Seed}"));
        var lines = new Columns();
        var more = requests.Interrupted > 0 ? Text($", {requests.Interrupted} interrupted") : "";
        if (requests.WarmUp > 0) more += Text($", {requests.WarmUp} more in the warm-up");
        lines.Add("requests", Text($"{requests.Planned} planned at {report.PlannedRate:0.##}/s, {requests.Answered} answered, {requests.Failed} failed{more}; {requests.MostInFlight} in flight at most"));
        lines.Add("throughput", Text($"{report.RequestsPerSecond:0.0} requests/s, {tokens.OutputPerSecond:0.0} output tokens/s"));
        var cached = tokens.Cached is { } c ? Text($" of which {c} cached ({tokens.CachedShare ?? 0:0.0%})") : "";
        lines.Add("tokens", Text($"{tokens.Prompt} prompt{cached}, {tokens.Output} output"));
        lines.Add("goodput", Text($"{goodput.Share:0.0%}, {goodput.PerSecond:0.0} requests/s within {Level(goodput)}"));
        lines.Write(console, 2);
        console.WriteLine();
    }

    private static string Level(LoadReport.GoodputFigures goodput)
    {
        List<string> parts = [];
        if (goodput.SloTtftMs is { } ttft) parts.Add($"TTFT {Durations.Text(ttft * 1000)}");
        if (goodput.SloTpotMs is { } tpot) parts.Add($"TPOT {Durations.Text(tpot * 1000)}");
        if (goodput.SloE2eMs is { } endToEnd) parts.Add($"end to end {Durations.Text(endToEnd * 1000)}");
        return parts.Count == 0 ? "no bound" : string.Join(", ", parts);
    }

    private static void WriteDistributions(ToolConsole console, LoadReport report)
    {
        var table = new Columns();
        table.Add(new Columns.Cell(""), new("p50", Palette.Dim), new("p90", Palette.Dim), new("p99", Palette.Dim), new("max", Palette.Dim), new("mean", Palette.Dim));
        Add(table, "TTFT", report.Ttft);
        Add(table, "TPOT", report.Tpot);
        Add(table, "end to end", report.EndToEnd);
        Add(table, "sent late by", report.GeneratorLateness);
        table.Write(console, 2);
        console.WriteLine();
    }

    private static void Add(Columns table, string name, LoadReport.Distribution distribution)
    {
        if (distribution.Count == 0) table.Add(name, "-", "-", "-", "-", "-");
        else table.Add(name, Ms(distribution.P50), Ms(distribution.P90), Ms(distribution.P99), Ms(distribution.Max), Ms(distribution.Mean));
    }

    private static void WriteRows(ToolConsole console, string title, List<(string Name, long Count, double? Share)> rows, Spectre.Console.Style style)
    {
        if (rows.Count == 0) return;
        console.WriteLine(title, style);
        var table = new Columns();
        foreach (var (name, count, share) in rows.Take(MaxRows)) table.Add(Text($"{count}"), share is { } s ? Text($"{s:0.0%}") : name, share is null ? "" : name);
        table.Write(console, 2);
        if (rows.Count > MaxRows) console.WriteLine(Text($"  and {rows.Count - MaxRows} more; -o json lists all"), Palette.Dim);
        console.WriteLine();
    }

    private static string Ms(double ms) => Durations.Text(ms * 1000);

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
