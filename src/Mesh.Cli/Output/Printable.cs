using System.Globalization;
using System.Text;

namespace Mesh.Cli.Output;

/// <summary>
/// Text of manifests on a terminal: control characters are spelt out, so that a value can neither break a line nor steer the terminal.
/// </summary>
internal static class Printable
{
    public static string Of(string text)
    {
        var first = 0;
        while (first < text.Length && !char.IsControl(text[first])) first++;
        if (first == text.Length) return text;
        var printable = new StringBuilder(text, 0, first, text.Length + 8);
        foreach (var c in text.AsSpan(first))
        {
            if (!char.IsControl(c)) printable.Append(c);
            else if (c == '\n') printable.Append("\\n");
            else if (c == '\t') printable.Append("\\t");
            else printable.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
        }

        return printable.ToString();
    }
}
