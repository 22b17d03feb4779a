using System.Text.Json;
using Mesh.Cli.Output;
using Spectre.Console;
using Columns = Mesh.Cli.Output.Columns;

namespace Mesh.Cli.Live;

/// <summary>Items as rows under a line of headers, as kubectl writes them.</summary>
internal static class LiveTable
{
    /// <summary>The columns that are shown.</summary>
    public static LiveColumn[] ColumnsOf(LiveKind kind, bool wide) => [.. kind.Columns.Where(c => wide || !c.IsWide)];

    /// <summary>Cells of an item.</summary>
    public static string[] CellsOf(LiveColumn[] columns, JsonElement item, DateTimeOffset now) => [.. columns.Select(c => c.Read(item, now))];

    /// <summary>Writes a table; headers first, unless they stand already.</summary>
    public static void Write(ToolConsole console, LiveColumn[] columns, IEnumerable<string[]> rows, bool withHeaders = true)
    {
        var table = new Columns();
        if (withHeaders) table.Add([.. columns.Select(c => new Columns.Cell(c.Header, Palette.Dim))]);
        foreach (var row in rows) table.Add([.. row.Select((cell, i) => new Columns.Cell(cell, StyleOf(columns[i].Header, cell)))]);
        table.Write(console, 0);
    }

    // A person looks for what is not as it should be.
    private static Style? StyleOf(string header, string cell) => (header, cell) switch
    {
        ("STATE", "unhealthy" or "ejected") or ("LINK", "unreachable" or "refused") or ("OUTCOME", "refuse") => Palette.Error,
        ("STATE", "drained" or "draining" or "asleep" or "unknown") or ("LINK", "stale") => Palette.Warning,
        ("READY", _) when cell.StartsWith("0/", StringComparison.Ordinal) => Palette.Error,
        ("FULL", _) when cell.Length > 3 => Palette.Warning,
        _ => null,
    };
}
