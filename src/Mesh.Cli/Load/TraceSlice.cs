using System.Globalization;

namespace Mesh.Cli.Load;

/// <summary>A part of a trace: rows (<c>100..500</c>) or times since its beginning as recorded (<c>5m..10m</c>); either end may be left out.</summary>
/// <param name="SkipRows">Rows left out at the beginning.</param>
/// <param name="MostRows">Rows at most.</param>
/// <param name="From">First time, included.</param>
/// <param name="To">Last time, excluded.</param>
internal sealed record TraceSlice(int SkipRows, int MostRows, TimeSpan From, TimeSpan To)
{
    public static TraceSlice All { get; } = new(0, int.MaxValue, TimeSpan.Zero, TimeSpan.MaxValue);

    /// <summary>Reads <c>A..B</c>.</summary>
    public static bool TryParse(string text, out TraceSlice slice)
    {
        slice = All;
        var dots = text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0) return false;
        var (from, to) = (text[..dots], text[(dots + 2)..]);
        if (from.Length + to.Length == 0) return false;
        if (IsRow(from, 0, out var first) && IsRow(to, int.MaxValue, out var end))
        {
            slice = All with { SkipRows = first, MostRows = end == int.MaxValue ? end : end - first };
            return first < end;
        }

        var (begin, stop) = (TimeSpan.Zero, TimeSpan.MaxValue);
        if (from.Length > 0 && !Durations.TryParse(from, out begin)) return false;
        if (to.Length > 0 && !Durations.TryParse(to, out stop)) return false;
        slice = All with { From = begin, To = stop };
        return begin < stop;
    }

    private static bool IsRow(string text, int absent, out int row)
    {
        row = absent;
        return text.Length == 0 || int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out row);
    }
}
