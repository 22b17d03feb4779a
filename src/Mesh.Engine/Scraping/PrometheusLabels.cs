using System.Text;

namespace Mesh.Engine.Scraping;

/// <summary>Walks the labels of one line, <c>name="value",…</c> without the braces. Ends at the first thing that makes no sense.</summary>
internal ref struct PrometheusLabels(ReadOnlySpan<byte> text)
{
    private ReadOnlySpan<byte> _rest = text;

    /// <summary>Name of the label at which the walk stands.</summary>
    public ReadOnlySpan<byte> Name { get; private set; }

    /// <summary>Its value as it is written, escapes included.</summary>
    public ReadOnlySpan<byte> Value { get; private set; }

    /// <summary>Goes on to the next label; false when there is none.</summary>
    public bool MoveNext()
    {
        _rest = _rest.TrimStart(", \t"u8);
        var equals = _rest.IndexOf((byte)'=');
        if (equals <= 0) return false;
        Name = _rest[..equals].TrimEnd(" \t"u8);
        var value = _rest[(equals + 1)..].TrimStart(" \t"u8);
        if (value.IsEmpty || value[0] != '"') return false;
        var end = PrometheusLine.EndOfQuoted(value, 1);
        if (end < 0) return false;
        Value = value[1..(end - 1)];
        _rest = value[end..];
        return true;
    }

    /// <summary>A value's text, its escapes undone. Allocates.</summary>
    public static string Decode(ReadOnlySpan<byte> value)
    {
        var text = Encoding.UTF8.GetString(value);
        if (!text.Contains('\\')) return text;
        var decoded = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\' && i + 1 < text.Length) decoded.Append(text[++i] == 'n' ? '\n' : text[i]);
            else decoded.Append(text[i]);
        }

        return decoded.ToString();
    }
}
