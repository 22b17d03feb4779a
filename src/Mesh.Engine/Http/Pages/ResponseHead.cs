using System.Buffers.Text;
using System.Text;

namespace Mesh.Engine.Http.Pages;

/// <summary>
/// The head of a response, line by line: the status and the few headers that say where the body ends. What could be read in two ways is
/// refused. Informational heads before it are passed over.
/// </summary>
internal sealed class ResponseHead
{
    private bool _hasStatus;
    private bool _hasEncoding;
    private bool _saysClose;
    private bool _saysKeepAlive;
    private bool _isOld;

    /// <summary>The status, 100–999.</summary>
    public int Status { get; private set; }

    /// <summary>Length of the body; -1 when it is not told.</summary>
    public long ContentLength { get; private set; }

    /// <summary>True when the body comes in chunks.</summary>
    public bool IsChunked { get; private set; }

    /// <summary>True when all lines have come.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>True when the server keeps the connection open, and the end of the body does not depend on it.</summary>
    public bool KeepsAlive => !_saysClose && (!_isOld || _saysKeepAlive) && (IsChunked || ContentLength >= 0 || Status is 204 or 304);

    /// <summary>Why a line was refused; a constant.</summary>
    public string Fault { get; private set; } = "";

    public void Begin()
    {
        _hasStatus = _hasEncoding = _saysClose = _saysKeepAlive = _isOld = false;
        Status = 0;
        ContentLength = -1;
        IsChunked = HasEnded = false;
    }

    /// <summary>Takes the next line, without its end; false when it makes no sense.</summary>
    public bool Add(ReadOnlySpan<byte> line)
    {
        if (!_hasStatus) return ReadStatus(line) || Refuse("it is not an HTTP/1 response");
        if (line.IsEmpty) return End();

        var colon = line.IndexOf((byte)':');
        if (colon <= 0 || line[..colon].IndexOfAny(" \t"u8) >= 0) return Refuse("a header has no name");
        var name = line[..colon];
        var value = line[(colon + 1)..].Trim(" \t"u8);
        // Only three lengths are wanted: the rest is passed over without a comparison.
        return name.Length switch
        {
            10 when Ascii.EqualsIgnoreCase(name, "connection"u8) => ReadConnection(value),
            14 when Ascii.EqualsIgnoreCase(name, "content-length"u8) => ReadLength(value) || Refuse("its content-length makes no sense"),
            16 when Ascii.EqualsIgnoreCase(name, "content-encoding"u8) =>
                Ascii.EqualsIgnoreCase(value, "identity"u8) || Refuse("it is compressed, which was not asked for"),
            17 when Ascii.EqualsIgnoreCase(name, "transfer-encoding"u8) => ReadEncoding(value) || Refuse("its transfer-encoding is not chunked"),
            _ => true,
        };
    }

    private bool End()
    {
        if (Status == 101) return Refuse("it changes the protocol");
        if (Status < 200)
        {
            Begin();
            return true;
        }

        if (IsChunked && ContentLength >= 0) return Refuse("it has both a content-length and chunks");
        HasEnded = true;
        return true;
    }

    private bool ReadStatus(ReadOnlySpan<byte> line)
    {
        if (line.Length < 12 || !line.StartsWith("HTTP/1."u8) || line[7] is not ((byte)'0' or (byte)'1') || line[8] != ' ') return false;
        if (!Utf8Parser.TryParse(line.Slice(9, 3), out int status, out var used) || used != 3 || status < 100) return false;
        if (line.Length > 12 && line[12] != ' ') return false;
        _isOld = line[7] == '0';
        Status = status;
        _hasStatus = true;
        return true;
    }

    private bool ReadConnection(ReadOnlySpan<byte> value)
    {
        foreach (var part in value.Split((byte)','))
        {
            var option = value[part].Trim(" \t"u8);
            if (Ascii.EqualsIgnoreCase(option, "close"u8)) _saysClose = true;
            else if (Ascii.EqualsIgnoreCase(option, "keep-alive"u8)) _saysKeepAlive = true;
        }

        return true;
    }

    private bool ReadLength(ReadOnlySpan<byte> value)
    {
        if (value.IsEmpty || !char.IsAsciiDigit((char)value[0])) return false;
        if (!Utf8Parser.TryParse(value, out long length, out var used) || used != value.Length) return false;
        if (ContentLength >= 0 && ContentLength != length) return false;
        ContentLength = length;
        return true;
    }

    private bool ReadEncoding(ReadOnlySpan<byte> value)
    {
        if (_hasEncoding || !Ascii.EqualsIgnoreCase(value, "chunked"u8)) return false;
        _hasEncoding = true;
        IsChunked = true;
        return true;
    }

    private bool Refuse(string fault)
    {
        Fault = fault;
        return false;
    }
}
