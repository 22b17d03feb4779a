namespace Mesh.Resources.Reading;

/// <summary>
/// Cuts a file at its <c>---</c> lines before it is parsed, so that a syntax error in one document does not hide the others.
/// A line that begins with the marker ends a document wherever it stands, even in a block scalar, so the cut is exact.
/// </summary>
internal static class DocumentSplitter
{
    /// <summary>Text of each part that has content, with the number of lines before it.</summary>
    public static IEnumerable<(int LinesBefore, string Text)> Split(string text)
    {
        var lines = text.ReplaceLineEndings("\n").Split('\n');
        var start = 0;
        for (var i = 0; i <= lines.Length; i++)
        {
            if (i < lines.Length && !IsMarker(lines[i])) continue;
            if (HasContent(lines, start, i)) yield return (start, Join(lines, start, i));
            start = i;
        }
    }

    private static bool IsMarker(string line) =>
        line.StartsWith("---", StringComparison.Ordinal) && (line.Length == 3 || char.IsWhiteSpace(line[3]));

    private static bool HasContent(string[] lines, int from, int to)
    {
        for (var i = from; i < to; i++)
        {
            var line = (i == from && IsMarker(lines[i]) ? lines[i][3..] : lines[i]).Trim();
            if (line.Length > 0 && line[0] is not ('#' or '%') && line != "...") return true;
        }

        return false;
    }

    private static string Join(string[] lines, int from, int to)
    {
        // The marker becomes blanks: what may stand behind it on its line keeps its column.
        var first = IsMarker(lines[from]) ? "   " + lines[from][3..] : lines[from];
        return string.Join('\n', lines[(from + 1)..to].Prepend(first));
    }
}
