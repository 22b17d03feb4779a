namespace Mesh.Gateway.Upstream.Http1;

/// <summary>
/// Takes the framing out of a chunked body, in place and wherever the bytes are cut. Strict: CR LF after sizes and data, sizes of
/// hexadecimal digits alone. Extensions and trailers are read over, within limits. A mutable struct: keep it in a field, never copy it.
/// </summary>
internal struct ChunkedDecoder
{
    // 2^56 bytes in one chunk: more digits are leading zeros that nobody sends, or an overflow.
    private const int MaxSizeDigits = 14;

    private const int MaxExtensionBytes = 4096;
    private const int MaxTrailerBytes = 16 * 1024;

    private State _state;
    private long _left;
    private int _lineBytes;
    private int _trailerBytes;

    private enum State : byte
    {
        Size,
        Extension,
        SizeEnd,
        Data,
        DataReturn,
        DataEnd,
        TrailerStart,
        Trailer,
        TrailerEnd,
        LastEnd,
        Done,
        Invalid,
    }

    /// <summary>True once the empty chunk and its trailers have been read.</summary>
    public readonly bool IsDone => _state == State.Done;

    /// <summary>True when the bytes were no chunked body; nothing more is decoded.</summary>
    public readonly bool IsInvalid => _state == State.Invalid;

    /// <summary>Decodes.</summary>
    /// <param name="bytes">Bytes as they came; the data is moved together at their start.</param>
    /// <param name="used">Bytes that were read; fewer than there are only when the body is done or invalid.</param>
    /// <returns>Bytes of data at the start.</returns>
    public int Decode(Span<byte> bytes, out int used)
    {
        var data = 0;
        var at = 0;
        while (at < bytes.Length && _state < State.Done)
        {
            if (_state == State.Data)
            {
                var count = (int)Math.Min(_left, bytes.Length - at);
                if (at != data) bytes.Slice(at, count).CopyTo(bytes[data..]);
                at += count;
                data += count;
                _left -= count;
                if (_left == 0) _state = State.DataReturn;
                continue;
            }

            Step(bytes[at++]);
        }

        used = at;
        return data;
    }

    private void Step(byte b)
    {
        switch (_state)
        {
            case State.Size:
                OnSize(b);
                break;
            case State.Extension:
                if (b == '\r') _state = State.SizeEnd;
                else if (b is (byte)'\n' or 0 || ++_lineBytes > MaxExtensionBytes) _state = State.Invalid;
                break;
            case State.SizeEnd:
                _lineBytes = 0;
                _state = b != '\n' ? State.Invalid : _left > 0 ? State.Data : State.TrailerStart;
                break;
            case State.DataReturn:
                _state = b == '\r' ? State.DataEnd : State.Invalid;
                break;
            case State.DataEnd:
                _state = b == '\n' ? State.Size : State.Invalid;
                break;
            case State.TrailerStart when b == '\r':
                _state = State.LastEnd;
                break;
            case State.TrailerStart or State.Trailer:
                _state = b == '\r' ? State.TrailerEnd : State.Trailer;
                if (b is (byte)'\n' or 0 || ++_trailerBytes > MaxTrailerBytes) _state = State.Invalid;
                break;
            case State.TrailerEnd:
                _state = b == '\n' ? State.TrailerStart : State.Invalid;
                break;
            default:
                _state = b == '\n' ? State.Done : State.Invalid;
                break;
        }
    }

    private void OnSize(byte b)
    {
        var digit = char.IsAsciiHexDigit((char)b) ? HexValue(b) : -1;
        if (digit >= 0)
        {
            _left = (_left << 4) | (uint)digit;
            if (++_lineBytes > MaxSizeDigits) _state = State.Invalid;
        }
        else if (_lineBytes == 0)
        {
            _state = State.Invalid;
        }
        else
        {
            // Some servers fill up the size with spaces; they end it as an extension does.
            _lineBytes = 0;
            _state = b switch
            {
                (byte)'\r' => State.SizeEnd,
                (byte)';' or (byte)' ' or (byte)'\t' => State.Extension,
                _ => State.Invalid,
            };
        }
    }

    private static int HexValue(byte b) => b <= '9' ? b - '0' : (b | 0x20) - 'a' + 10;
}
