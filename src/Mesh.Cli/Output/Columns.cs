using Spectre.Console;

namespace Mesh.Cli.Output;

/// <summary>Rows of cells in aligned columns, without rules and without blanks at the ends of lines.</summary>
internal sealed class Columns
{
    private const int Gap = 3;

    // One long cell must not push all other rows' cells off the screen: it pushes its own row's alone.
    private const int MaxAlignedWidth = 48;

    private readonly List<Cell[]> _rows = [];

    public void Add(params Cell[] cells) => _rows.Add(cells);

    /// <summary>Writes all rows, each after <paramref name="indent"/> blanks.</summary>
    public void Write(ToolConsole console, int indent)
    {
        var widths = new int[_rows.Count == 0 ? 0 : _rows.Max(r => r.Length)];
        foreach (var row in _rows)
        {
            for (var i = 0; i < row.Length; i++)
            {
                if (row[i].Text.Length <= MaxAlignedWidth) widths[i] = Math.Max(widths[i], row[i].Text.Length);
            }
        }

        foreach (var row in _rows)
        {
            var last = Array.FindLastIndex(row, c => c.Text.Length > 0);
            console.Write(new string(' ', indent));
            for (var i = 0; i <= last; i++)
            {
                console.Write(row[i].Text, row[i].Style);
                if (i < last) console.Write(new string(' ', Math.Max(0, widths[i] - row[i].Text.Length) + Gap));
            }

            console.WriteLine();
        }
    }

    /// <summary>One cell.</summary>
    internal readonly record struct Cell(string Text, Style? Style = null)
    {
        public static implicit operator Cell(string text) => new(text);
    }
}
