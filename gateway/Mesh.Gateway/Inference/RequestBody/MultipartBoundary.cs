namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>The boundary that a <c>multipart/form-data</c> content type names.</summary>
internal static class MultipartBoundary
{
    /// <summary>Longest delimiter: line end, two hyphens and the 70 characters that a boundary may have.</summary>
    public const int MaxDelimiterBytes = 4 + 70;

    private const string MediaType = "multipart/form-data";

    /// <summary>Writes the delimiter <c>CR LF -- boundary</c>.</summary>
    /// <returns>Its length; 0 when the content type is another, or names no boundary or a strange one.</returns>
    public static int Read(string? contentType, Span<byte> delimiter)
    {
        var text = contentType.AsSpan().Trim();
        if (!text.StartsWith(MediaType, StringComparison.OrdinalIgnoreCase)) return 0;
        text = text[MediaType.Length..];
        if (text is not [';' or ' ', ..]) return 0;
        var found = 0;
        foreach (var range in text.Split(';'))
        {
            var parameter = text[range].Trim();
            var equals = parameter.IndexOf('=');
            if (equals < 0 || !parameter[..equals].Trim().Equals("boundary", StringComparison.OrdinalIgnoreCase)) continue;
            // Two boundaries: two readers could take different ones.
            if (found > 0) return 0;
            found = Write(parameter[(equals + 1)..].Trim(), delimiter);
            if (found == 0) return 0;
        }

        return found;
    }

    private static int Write(ReadOnlySpan<char> boundary, Span<byte> delimiter)
    {
        if (boundary is ['"', .. var quoted, '"']) boundary = quoted;
        if (boundary.Length is 0 or > MaxDelimiterBytes - 4) return 0;
        "\r\n--"u8.CopyTo(delimiter);
        for (var i = 0; i < boundary.Length; i++)
        {
            // A quote or a backslash would be an escape that others decode; semicolons have been split at already.
            if (boundary[i] is not (> ' ' and < '\x7f') || boundary[i] is '"' or '\\') return 0;
            delimiter[4 + i] = (byte)boundary[i];
        }

        return 4 + boundary.Length;
    }
}
