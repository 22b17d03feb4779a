using System.Globalization;

namespace Mesh.Engine.Scraping;

/// <summary>One line of the Prometheus text format: <c>name{labels} value [timestamp]</c>.</summary>
internal static class PrometheusLine
{
    /// <summary>Name at the start of a sample line; empty for comments and blank lines.</summary>
    public static ReadOnlySpan<byte> Name(ReadOnlySpan<byte> line)
    {
        if (line.IsEmpty || line[0] == '#') return default;
        var end = line.IndexOfAny((byte)'{', (byte)' ', (byte)'\t');
        return end < 0 ? default : line[..end];
    }

    /// <summary>The value behind the name and the labels; false when the line makes no sense. NaN is a value; infinities are not.</summary>
    public static bool TryReadValue(ReadOnlySpan<byte> afterName, out double value)
    {
        value = 0;
        var rest = afterName.TrimStart(" \t"u8);
        if (!rest.IsEmpty && rest[0] == '{')
        {
            var end = EndOfLabels(rest);
            if (end < 0) return false;
            rest = rest[end..].TrimStart(" \t"u8);
        }

        var length = rest.IndexOfAny(" \t\r"u8);
        if (length >= 0) rest = rest[..length];
        return double.TryParse(rest, NumberStyles.Float, CultureInfo.InvariantCulture, out value);
    }

    /// <summary>The labels behind a name, without the braces; empty when there are none or they do not end.</summary>
    public static ReadOnlySpan<byte> Labels(ReadOnlySpan<byte> afterName)
    {
        var rest = afterName.TrimStart(" \t"u8);
        if (rest.IsEmpty || rest[0] != '{') return default;
        var end = EndOfLabels(rest);
        return end < 0 ? default : rest[1..(end - 1)];
    }

    /// <summary>Index behind the closing brace; -1 when there is none. A brace in a quoted value closes nothing.</summary>
    private static int EndOfLabels(ReadOnlySpan<byte> text)
    {
        var at = 1;
        while (at < text.Length)
        {
            var next = text[at..].IndexOfAny((byte)'}', (byte)'"');
            if (next < 0) return -1;
            at += next + 1;
            if (text[at - 1] == '}') return at;
            at = EndOfQuoted(text, at);
            if (at < 0) return -1;
        }

        return -1;
    }

    /// <summary>Index behind the quote that ends a value which began before <paramref name="at"/>; -1 when there is none.</summary>
    public static int EndOfQuoted(ReadOnlySpan<byte> text, int at)
    {
        while (at < text.Length)
        {
            var next = text[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0) return -1;
            at += next + 1;
            if (text[at - 1] == '"') return at;
            // What follows a backslash is part of the value, whatever it is.
            at++;
        }

        return -1;
    }
}
