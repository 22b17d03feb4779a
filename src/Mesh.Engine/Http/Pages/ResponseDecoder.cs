namespace Mesh.Engine.Http.Pages;

/// <summary>
/// Decodes one HTTP/1.1 response to a GET in the buffer into which it is received, so that its body stands there in one piece: chunks are moved
/// together. Knows the three ways in which a body can end: by length, by chunks and by the connection. Allocates nothing. Call <see cref="Begin"/>,
/// then <see cref="Decode"/> whenever bytes have been added behind the earlier ones, then, if the connection ends, <see cref="End"/>.
/// </summary>
internal sealed class ResponseDecoder
{
    /// <summary>Bytes of a head, informational ones before it included, and of trailers.</summary>
    public const int MaxHeadBytes = 32 << 10;
    private const int MaxChunkLineBytes = 256;
    private readonly int _maxBodyBytes;
    private readonly ResponseHead _head = new();
    private Phase _phase;
    private int _at;
    private int _bodyStart;
    private int _bodyEnd;
    private int _left;
    private int _trailerBytes;

    /// <param name="maxBodyBytes">Largest body, 0 and up.</param>
    public ResponseDecoder(int maxBodyBytes) => _maxBodyBytes = maxBodyBytes;

    private enum Phase
    {
        Head,
        Fixed,
        ChunkSize,
        ChunkData,
        ChunkEnd,
        Trailers,
        UntilEnd,
        Done,
    }

    /// <summary>The status, 200–999; 0 before the head has ended.</summary>
    public int Status => _phase == Phase.Head ? 0 : _head.Status;

    /// <summary>Where the body stands in the buffer, as far as it is known.</summary>
    public Range Body => _bodyStart.._bodyEnd;

    /// <summary>True when the connection can carry another request: the response has ended, nothing came behind it and the server does not close.</summary>
    public bool CanReuse { get; private set; }

    /// <summary>Bytes that are missing at least: of the body, or of its present chunk; 0 when nothing tells.</summary>
    public int Missing => _phase is Phase.Fixed or Phase.ChunkData ? _left : 0;

    /// <summary>Why it is malformed; a constant.</summary>
    public string Fault { get; private set; } = "";

    /// <summary>A new response begins at the start of the buffer.</summary>
    public void Begin()
    {
        _head.Begin();
        _phase = Phase.Head;
        _at = _bodyStart = _bodyEnd = _left = _trailerBytes = 0;
        CanReuse = false;
        Fault = "";
    }

    /// <summary>Goes on with all bytes received so far; may move the last of them together, which makes <paramref name="length"/> smaller.</summary>
    public DecodeResult Decode(Span<byte> buffer, ref int length)
    {
        while (true)
        {
            var received = buffer[..length];
            var result = _phase switch
            {
                Phase.Head => DecodeHead(received),
                Phase.Fixed => TakeData(received, Phase.Done),
                Phase.ChunkSize => DecodeChunkSize(received),
                Phase.ChunkData => TakeData(received, Phase.ChunkEnd),
                Phase.ChunkEnd => DecodeChunkEnd(received),
                Phase.Trailers => DecodeTrailers(received),
                Phase.UntilEnd => TakeAll(length),
                _ => DecodeResult.Done,
            };
            if (result is DecodeResult.TooLarge or DecodeResult.Malformed) return result;
            if (_phase == Phase.Done)
            {
                CanReuse = _head.KeepsAlive && _at == length;
                return DecodeResult.Done;
            }

            if (result == DecodeResult.Done) continue;
            if (_phase is Phase.ChunkSize or Phase.ChunkEnd or Phase.Trailers) Close(buffer, ref length);
            return DecodeResult.More;
        }
    }

    /// <summary>The connection has ended: true when the response may end so.</summary>
    public bool End()
    {
        if (_phase == Phase.UntilEnd) _phase = Phase.Done;
        return _phase == Phase.Done;
    }

    // In what follows, Done says that the phase has moved on, not that the response has ended.
    private DecodeResult DecodeHead(ReadOnlySpan<byte> received)
    {
        while (TryLine(received, out var line))
        {
            if (_at > MaxHeadBytes) return Malformed("its head is too large");
            if (!_head.Add(line)) return Malformed(_head.Fault);
            if (!_head.HasEnded) continue;
            return BeginBody();
        }

        return received.Length > MaxHeadBytes ? Malformed("its head is too large") : DecodeResult.More;
    }

    private DecodeResult BeginBody()
    {
        _bodyStart = _bodyEnd = _at;
        if (_head.Status is 204 or 304)
        {
            _phase = Phase.Done;
            return DecodeResult.Done;
        }

        if (_head.IsChunked)
        {
            _phase = Phase.ChunkSize;
            return DecodeResult.Done;
        }

        if (_head.ContentLength < 0)
        {
            _phase = Phase.UntilEnd;
            return DecodeResult.Done;
        }

        _phase = Phase.Fixed;
        if (_head.ContentLength > _maxBodyBytes) return DecodeResult.TooLarge;
        _left = (int)_head.ContentLength;
        return DecodeResult.Done;
    }

    private DecodeResult TakeData(Span<byte> received, Phase next)
    {
        var count = Math.Min(_left, received.Length - _at);
        if (_at != _bodyEnd) received.Slice(_at, count).CopyTo(received[_bodyEnd..]);
        _at += count;
        _bodyEnd += count;
        _left -= count;
        if (_left > 0) return DecodeResult.More;
        _phase = next;
        return DecodeResult.Done;
    }

    private DecodeResult TakeAll(int length)
    {
        _at = _bodyEnd = length;
        return _bodyEnd - _bodyStart > _maxBodyBytes ? DecodeResult.TooLarge : DecodeResult.More;
    }

    private DecodeResult DecodeChunkSize(ReadOnlySpan<byte> received)
    {
        if (!TryLine(received, out var line))
            return received.Length - _at > MaxChunkLineBytes + 1 ? Malformed("a chunk has no size") : DecodeResult.More;
        if (line.Length > MaxChunkLineBytes || !ChunkSize.TryRead(line, out var size)) return Malformed("a chunk has no size");
        if (size > _maxBodyBytes - (_bodyEnd - _bodyStart)) return DecodeResult.TooLarge;
        _left = (int)size;
        _phase = size == 0 ? Phase.Trailers : Phase.ChunkData;
        return DecodeResult.Done;
    }

    private DecodeResult DecodeChunkEnd(ReadOnlySpan<byte> received)
    {
        var rest = received[_at..];
        if (rest.IsEmpty || (rest.Length == 1 && rest[0] == '\r')) return DecodeResult.More;
        var end = rest[0] == '\n' ? 1 : rest[0] == '\r' && rest[1] == '\n' ? 2 : 0;
        if (end == 0) return Malformed("a chunk is longer than its size");
        _at += end;
        _phase = Phase.ChunkSize;
        return DecodeResult.Done;
    }

    private DecodeResult DecodeTrailers(ReadOnlySpan<byte> received)
    {
        while (TryLine(received, out var line))
        {
            if (line.IsEmpty)
            {
                _phase = Phase.Done;
                return DecodeResult.Done;
            }

            _trailerBytes += line.Length;
            if (_trailerBytes > MaxHeadBytes) return Malformed("its trailers are too large");
        }

        return received.Length - _at > MaxHeadBytes ? Malformed("its trailers are too large") : DecodeResult.More;
    }

    private bool TryLine(ReadOnlySpan<byte> received, out ReadOnlySpan<byte> line)
    {
        var end = received[_at..].IndexOf((byte)'\n');
        line = default;
        if (end < 0) return false;
        line = received.Slice(_at, end);
        if (line.EndsWith("\r"u8)) line = line[..^1];
        _at += end + 1;
        return true;
    }

    // Without this, a body in tiny chunks would take several times its size of room.
    private void Close(Span<byte> buffer, ref int length)
    {
        buffer[_at..length].CopyTo(buffer[_bodyEnd..]);
        length -= _at - _bodyEnd;
        _at = _bodyEnd;
    }

    private DecodeResult Malformed(string fault)
    {
        Fault = fault;
        return DecodeResult.Malformed;
    }
}
