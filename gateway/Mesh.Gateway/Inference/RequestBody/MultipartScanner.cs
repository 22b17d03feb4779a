using System.Text;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>
/// Finds what routing needs in a <c>multipart/form-data</c> body: the field <c>model</c>, and how much sound there is. The body is looked at
/// where it stands and nothing is decoded. What two readers could understand in two ways is refused.
/// </summary>
internal static class MultipartScanner
{
    /// <summary>Most parts of a body.</summary>
    public const int MaxParts = 64;

    private const int MaxHeadBytes = 8 * 1024;
    private const int MaxModelBytes = 1024;

    // What 30 seconds of sound cost an encoder, and about how many bytes they have when compressed.
    private const int TokensPerWindow = 1500;
    private const int BytesPerWindow = 480 * 1024;

    /// <summary>Scans a body. Never throws, whatever the bytes.</summary>
    /// <param name="body">The whole body.</param>
    /// <param name="contentType">The request's <c>Content-Type</c>.</param>
    /// <param name="facts">What was found; default when there is an error.</param>
    /// <param name="error">What is wrong, for the client; null when nothing is.</param>
    public static bool TryScan(ReadOnlySpan<byte> body, string? contentType, out BodyFacts facts, out string? error)
    {
        facts = new BodyFacts { IsForm = true };
        Span<byte> delimiter = stackalloc byte[MultipartBoundary.MaxDelimiterBytes];
        var length = MultipartBoundary.Read(contentType, delimiter);
        error = length == 0 ? "The Content-Type must be multipart/form-data with a boundary." : Scan(body, delimiter[..length], ref facts);
        if (error is null) return true;
        facts = default;
        return false;
    }

    /// <param name="body">The body.</param>
    /// <param name="delimiter">A line feed and the line before every part, without the one that ends it.</param>
    /// <param name="facts">Takes what was found.</param>
    private static string? Scan(ReadOnlySpan<byte> body, ReadOnlySpan<byte> delimiter, ref BodyFacts facts)
    {
        // The first delimiter has no line end before it.
        if (!body.StartsWith(delimiter[2..])) return "The form does not begin with its boundary.";
        var at = delimiter.Length - 2;
        for (var part = 0; part < MaxParts; part++)
        {
            if (body[at..].StartsWith("--"u8)) return null;
            if (!body[at..].StartsWith("\r\n"u8)) return "A boundary of the form is not a line of its own.";
            at += 2;
            var headLength = body[at..].IndexOf("\r\n\r\n"u8);
            if (headLength is < 0 or > MaxHeadBytes) return "A part of the form has no head.";
            if (!MultipartHead.TryRead(body.Slice(at, headLength), out var head)) return "A part of the form has a Content-Disposition that cannot be read.";
            at += headLength + 4;
            var valueLength = body[at..].IndexOf(delimiter);
            if (valueLength < 0) return "The form ends within a part.";
            if (Take(body, new ByteRange(at, valueLength), head, ref facts) is { } error) return error;
            at += valueLength + delimiter.Length;
        }

        return $"The form has more than {MaxParts} parts.";
    }

    private static string? Take(ReadOnlySpan<byte> body, ByteRange value, MultipartHead head, ref BodyFacts facts)
    {
        switch (head.Field)
        {
            case FormField.Model when facts.Model is not null || facts.ModelHasWrongType:
                return "The form names its model twice.";
            case FormField.Model:
                facts.ModelHasWrongType = head.IsFile || value.Length > MaxModelBytes;
                facts.ModelValue = value;
                facts.Model = facts.ModelHasWrongType ? null : Encoding.UTF8.GetString(value.Of(body));
                break;
            case FormField.Stream:
                facts.Stream = value.Of(body) is [(byte)'t' or (byte)'T', ..] or [(byte)'1'];
                break;
            case FormField.Prompt:
                facts.PromptTextBytes += value.Length;
                break;
            case FormField.File:
                facts.PromptFixedTokens += TokensPerWindow * (1 + ((long)value.Length / BytesPerWindow));
                break;
        }

        return null;
    }
}
