using System.Buffers;
using System.Text;

namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// Reads the head of an HTTP/1 answer, strictly: lines end with CR LF, names are tokens directly followed by a colon, lines are not folded,
/// values have no control characters, and length and chunking exclude each other. What another reader could take otherwise is refused.
/// </summary>
internal static class HeadParser
{
    /// <summary>Most headers of one answer.</summary>
    public const int MaxHeaders = 256;

    // "HTTP/1.1 200" and nothing after it is as short as a status line gets.
    private const int StatusEnd = 12;

    private static readonly SearchValues<byte> Token =
        SearchValues.Create("!#$%&'*+-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ^_`abcdefghijklmnopqrstuvwxyz|~"u8);

    private static readonly SearchValues<byte> Forbidden = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 127]);

    /// <summary>Parses the head at the start of some bytes.</summary>
    /// <param name="bytes">What has come so far.</param>
    /// <param name="hasNoBody">True for the answer to a HEAD request.</param>
    /// <param name="head">Set when complete.</param>
    public static HeadStatus TryParse(ReadOnlySpan<byte> bytes, bool hasNoBody, out AnswerHead head)
    {
        head = new AnswerHead { ContentLength = -1 };
        if (!IsBeginOfAnswer(bytes)) return HeadStatus.Invalid;
        var at = bytes.IndexOf("\r\n"u8);
        if (at < 0) return HasBareLineEnd(bytes) ? HeadStatus.Invalid : HeadStatus.Incomplete;
        if (!TryStatusLine(bytes[..at], ref head)) return HeadStatus.Invalid;
        var isChunked = false;
        at += 2;
        // Each turn takes a line.
        for (var count = 0; count <= MaxHeaders; count++)
        {
            var rest = bytes[at..];
            var end = rest.IndexOf("\r\n"u8);
            if (end < 0) return HasBareLineEnd(rest) ? HeadStatus.Invalid : HeadStatus.Incomplete;
            at += end + 2;
            if (end == 0)
            {
                head.Length = at;
                return Frame(ref head, isChunked, hasNoBody, bytes[7] == '0') ? HeadStatus.Complete : HeadStatus.Invalid;
            }

            if (!TryHeader(rest[..end], ref head, ref isChunked)) return HeadStatus.Invalid;
        }

        return HeadStatus.Invalid;
    }

    /// <summary>Takes the next header of a head that has been parsed; false at its end.</summary>
    /// <param name="rest">What is left of the head after the status line; moves on.</param>
    /// <param name="name">Name.</param>
    /// <param name="value">Value without the white space around it.</param>
    public static bool TryNext(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> value)
    {
        name = value = default;
        var end = rest.IndexOf("\r\n"u8);
        if (end <= 0) return false;
        var line = rest[..end];
        rest = rest[(end + 2)..];
        var colon = line.IndexOf((byte)':');
        name = line[..colon];
        value = line[(colon + 1)..].Trim(" \t"u8);
        return true;
    }

    /// <summary>The headers of a head that has been parsed, for <see cref="TryNext"/>.</summary>
    public static ReadOnlySpan<byte> Headers(ReadOnlySpan<byte> head) => head[(head.IndexOf("\r\n"u8) + 2)..];

    private static bool IsBeginOfAnswer(ReadOnlySpan<byte> bytes)
    {
        var expected = "HTTP/1."u8;
        return bytes.Length >= expected.Length ? bytes.StartsWith(expected) : expected.StartsWith(bytes);
    }

    // A line feed on its own would be the end of a line to some readers and not to others.
    private static bool HasBareLineEnd(ReadOnlySpan<byte> bytes) =>
        bytes.Contains((byte)'\n') || bytes.IndexOf((byte)'\r') is >= 0 and var cr && cr < bytes.Length - 1;

    private static bool TryStatusLine(ReadOnlySpan<byte> line, ref AnswerHead head)
    {
        if (line.Length < StatusEnd || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' ') return false;
        if (line.Length > StatusEnd && line[StatusEnd] != ' ') return false;
        if (line[9] is < (byte)'1' or > (byte)'9' || !char.IsAsciiDigit((char)line[10]) || !char.IsAsciiDigit((char)line[11])) return false;
        head.Status = ((line[9] - '0') * 100) + ((line[10] - '0') * 10) + (line[11] - '0');
        head.KeepsConnection = line[7] == '1';
        return !line[StatusEnd..].ContainsAny(Forbidden);
    }

    private static bool TryHeader(ReadOnlySpan<byte> line, ref AnswerHead head, ref bool isChunked)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].ContainsAnyExcept(Token)) return false;
        var value = line[(colon + 1)..];
        if (value.ContainsAny(Forbidden)) return false;
        switch (colon)
        {
            case 10 when Ascii.EqualsIgnoreCase(line[..colon], "connection"u8):
                ReadConnection(value, ref head);
                return true;
            case 14 when Ascii.EqualsIgnoreCase(line[..colon], "content-length"u8):
                return TryLength(value.Trim(" \t"u8), ref head);
            case 17 when Ascii.EqualsIgnoreCase(line[..colon], "transfer-encoding"u8):
                // Only once and only this: any other coding would have to be undone here.
                if (isChunked || !Ascii.EqualsIgnoreCase(value.Trim(" \t"u8), "chunked"u8)) return false;
                isChunked = true;
                return true;
            default:
                return true;
        }
    }

    private static void ReadConnection(ReadOnlySpan<byte> value, ref AnswerHead head)
    {
        foreach (var range in value.Split((byte)','))
        {
            var option = value[range].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(option, "close"u8)) head.KeepsConnection = false;
            else if (!option.IsEmpty && !Ascii.EqualsIgnoreCase(option, "keep-alive"u8)) head.NamesHopHeaders = true;
        }
    }

    private static bool TryLength(ReadOnlySpan<byte> value, ref AnswerHead head)
    {
        // 18 digits are no overflow.
        if (value.Length is 0 or > 18) return false;
        long length = 0;
        foreach (var b in value)
        {
            if (b is < (byte)'0' or > (byte)'9') return false;
            length = (length * 10) + (b - '0');
        }

        if (head.ContentLength >= 0 && head.ContentLength != length) return false;
        head.ContentLength = length;
        return true;
    }

    private static bool Frame(ref AnswerHead head, bool isChunked, bool hasNoBody, bool isHttp10)
    {
        if (isChunked && (head.ContentLength >= 0 || isHttp10)) return false;
        // Nobody asked for another protocol.
        if (head.Status == 101) return false;
        if (hasNoBody || head.Status is < 200 or 204 or 304) head.Framing = BodyFraming.None;
        else if (isChunked) head.Framing = BodyFraming.Chunked;
        else if (head.ContentLength >= 0) head.Framing = BodyFraming.Length;
        else head.Framing = BodyFraming.Close;
        if (head.Framing == BodyFraming.Close) head.KeepsConnection = false;
        return true;
    }
}
