using System.Buffers.Binary;

namespace Mesh.Zmtp.MessagePack;

/// <summary>
/// Reads MessagePack values from a span. Nothing is copied, allocated or thrown: a read that cannot be done answers false, sets
/// <see cref="Error"/> and stays where it was. A container's count is checked against the bytes that are left (every element takes at
/// least one), so what a caller allocates by it is bounded by what was received.
/// </summary>
internal ref struct MessagePackReader(ReadOnlySpan<byte> source)
{
    /// <summary>Deepest nesting that <see cref="TrySkip"/> follows.</summary>
    public const int MaxDepth = 64;

    private readonly ReadOnlySpan<byte> _source = source;

    /// <summary>Bytes read so far.</summary>
    public int Position { get; private set; }

    /// <summary>Why the last failed read failed.</summary>
    public MessagePackError Error { get; private set; }

    /// <summary>True when every byte has been read.</summary>
    public readonly bool IsAtEnd => Position == _source.Length;

    /// <summary>The kind of the next value, without reading it.</summary>
    public readonly MessagePackToken Peek() => IsAtEnd ? MessagePackToken.End : MessagePackFormat.TokenOf(_source[Position]);

    /// <summary>The bytes read between an earlier <see cref="Position"/> and now.</summary>
    public readonly ReadOnlySpan<byte> Since(int position) => _source[position..Position];

    /// <summary>Reads a nil; false without an error if another value stands here.</summary>
    public bool TryReadNil()
    {
        if (Peek() != MessagePackToken.Nil) return false;
        Position++;
        return true;
    }

    public bool TryReadBoolean(out bool value)
    {
        value = !IsAtEnd && _source[Position] == MessagePackFormat.True;
        if (!Expect(MessagePackToken.Boolean)) return false;
        Position++;
        return true;
    }

    /// <summary>Reads any integer from −2^63 to 2^63−1.</summary>
    public bool TryReadInt64(out long value)
    {
        var start = Position;
        value = 0;
        if (!TryReadInteger(out var bits, out var beyondInt64)) return false;
        value = (long)bits;
        if (!beyondInt64) return true;
        Position = start;
        return Fail(MessagePackError.OutOfRange);
    }

    /// <summary>Reads any integer from −2^31 to 2^31−1.</summary>
    public bool TryReadInt32(out int value)
    {
        value = 0;
        // Token ids make up most of what is read: small positive ones take the short way.
        if (Position < _source.Length && _source[Position] <= MessagePackFormat.MaxPositiveFixInt)
        {
            value = _source[Position++];
            return true;
        }
        var start = Position;
        if (!TryReadInteger(out var bits, out var beyondInt64)) return false;
        value = (int)bits;
        if (!beyondInt64 && value == (long)bits) return true;
        Position = start;
        return Fail(MessagePackError.OutOfRange);
    }

    /// <summary>Reads any integer as 64 bits: a negative one as its two's complement.</summary>
    public bool TryReadUInt64Bits(out ulong bits) => TryReadInteger(out bits, out _);

    /// <summary>Reads a float of either width, or an integer in its place.</summary>
    public bool TryReadDouble(out double value)
    {
        value = 0;
        if (Peek() == MessagePackToken.Integer)
        {
            if (!TryReadInteger(out var bits, out var beyondInt64)) return false;
            value = beyondInt64 ? bits : (long)bits;
            return true;
        }
        if (!Expect(MessagePackToken.Float)) return false;
        var wide = _source[Position] == MessagePackFormat.Float64;
        var rest = _source[(Position + 1)..];
        if (rest.Length < (wide ? 8 : 4)) return Fail(MessagePackError.Truncated);
        value = wide ? BinaryPrimitives.ReadDoubleBigEndian(rest) : BinaryPrimitives.ReadSingleBigEndian(rest);
        Position += wide ? 9 : 5;
        return true;
    }

    /// <summary>Reads a string as its UTF-8 bytes, which are not checked.</summary>
    public bool TryReadString(out ReadOnlySpan<byte> utf8) => TryReadBytes(MessagePackToken.String, out utf8);

    public bool TryReadBinary(out ReadOnlySpan<byte> bytes) => TryReadBytes(MessagePackToken.Binary, out bytes);

    /// <summary>Reads an extension value's type and bytes.</summary>
    public bool TryReadExtension(out sbyte type, out ReadOnlySpan<byte> bytes)
    {
        type = 0;
        bytes = default;
        if (!Expect(MessagePackToken.Extension) || !TryMeasure(out var header, out var length)) return false;
        type = (sbyte)_source[Position + header - 1];
        bytes = _source.Slice(Position + header, (int)length);
        Position += header + (int)length;
        return true;
    }

    /// <summary>Reads an array's header; its elements follow.</summary>
    public bool TryReadArrayHeader(out int count) => TryReadHeader(MessagePackToken.Array, out count);

    /// <summary>Reads a map's header; that many pairs of key and value follow.</summary>
    public bool TryReadMapHeader(out int pairs) => TryReadHeader(MessagePackToken.Map, out pairs);

    /// <summary>Passes over one value with all that it contains, however large, without recursion.</summary>
    public bool TrySkip()
    {
        var start = Position;
        Span<long> open = stackalloc long[MaxDepth];
        var depth = 0;
        open[0] = 1;
        while (true)
        {
            while (open[depth] == 0)
            {
                if (depth-- == 0) return true;
            }
            open[depth]--;
            if (!TrySkipOne(out var children))
            {
                Position = start;
                return false;
            }
            if (children == 0) continue;
            if (++depth == MaxDepth)
            {
                Position = start;
                return Fail(MessagePackError.TooDeep);
            }
            open[depth] = children;
        }
    }

    private bool TrySkipOne(out long children)
    {
        children = 0;
        var token = Peek();
        if (token is MessagePackToken.Array or MessagePackToken.Map)
        {
            if (!TryReadHeader(token, out var count)) return false;
            children = token == MessagePackToken.Map ? count * 2L : count;
            return true;
        }
        if (!TryMeasure(out var header, out var length)) return false;
        Position += header + (int)length;
        return true;
    }

    private bool TryReadInteger(out ulong bits, out bool beyondInt64)
    {
        bits = 0;
        beyondInt64 = false;
        if (!Expect(MessagePackToken.Integer) || !TryMeasure(out var header, out var length)) return false;
        var first = _source[Position];
        var body = _source.Slice(Position + header, (int)length);
        bits = first switch
        {
            <= MessagePackFormat.MaxPositiveFixInt => first,
            >= MessagePackFormat.NegativeFixInt => (ulong)(sbyte)first,
            MessagePackFormat.UInt8 => body[0],
            MessagePackFormat.UInt16 => BinaryPrimitives.ReadUInt16BigEndian(body),
            MessagePackFormat.UInt32 => BinaryPrimitives.ReadUInt32BigEndian(body),
            MessagePackFormat.UInt64 => BinaryPrimitives.ReadUInt64BigEndian(body),
            MessagePackFormat.Int8 => (ulong)(sbyte)body[0],
            MessagePackFormat.Int16 => (ulong)BinaryPrimitives.ReadInt16BigEndian(body),
            MessagePackFormat.Int32 => (ulong)BinaryPrimitives.ReadInt32BigEndian(body),
            _ => (ulong)BinaryPrimitives.ReadInt64BigEndian(body),
        };
        beyondInt64 = first == MessagePackFormat.UInt64 && bits > long.MaxValue;
        Position += header + (int)length;
        return true;
    }

    private bool TryReadBytes(MessagePackToken token, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (!Expect(token) || !TryMeasure(out var header, out var length)) return false;
        bytes = _source.Slice(Position + header, (int)length);
        Position += header + (int)length;
        return true;
    }

    private bool TryReadHeader(MessagePackToken token, out int count)
    {
        count = 0;
        if (!Expect(token)) return false;
        var first = _source[Position];
        var rest = _source[(Position + 1)..];
        var header = 1;
        long announced;
        if (first < MessagePackFormat.FixString)
        {
            announced = first & 0x0F;
        }
        else if (first is MessagePackFormat.Array16 or MessagePackFormat.Map16)
        {
            if (rest.Length < 2) return Fail(MessagePackError.Truncated);
            announced = BinaryPrimitives.ReadUInt16BigEndian(rest);
            header = 3;
        }
        else
        {
            if (rest.Length < 4) return Fail(MessagePackError.Truncated);
            announced = BinaryPrimitives.ReadUInt32BigEndian(rest);
            header = 5;
        }
        var least = token == MessagePackToken.Map ? announced * 2 : announced;
        if (least > _source.Length - Position - header) return Fail(MessagePackError.Truncated);
        count = (int)announced;
        Position += header;
        return true;
    }

    // Length of the header (for extensions with the type byte) and of the body of a value that is no container; both lie within the source.
    private bool TryMeasure(out int header, out long length)
    {
        header = 1;
        length = 0;
        if (IsAtEnd) return Fail(MessagePackError.Truncated);
        var first = _source[Position];
        var lengthBytes = 0;
        var extension = false;
        switch (first)
        {
            case <= MessagePackFormat.MaxPositiveFixInt or >= MessagePackFormat.NegativeFixInt:
            case MessagePackFormat.Nil or MessagePackFormat.False or MessagePackFormat.True:
                break;
            case >= MessagePackFormat.FixString and < MessagePackFormat.Nil:
                length = first & 0x1F;
                break;
            case >= MessagePackFormat.Binary8 and <= MessagePackFormat.Binary32:
                lengthBytes = 1 << (first - MessagePackFormat.Binary8);
                break;
            case >= MessagePackFormat.Extension8 and <= MessagePackFormat.Extension32:
                lengthBytes = 1 << (first - MessagePackFormat.Extension8);
                extension = true;
                break;
            case MessagePackFormat.Float32:
                length = 4;
                break;
            case MessagePackFormat.Float64:
                length = 8;
                break;
            case >= MessagePackFormat.UInt8 and <= MessagePackFormat.UInt64:
                length = 1 << (first - MessagePackFormat.UInt8);
                break;
            case >= MessagePackFormat.Int8 and <= MessagePackFormat.Int64:
                length = 1 << (first - MessagePackFormat.Int8);
                break;
            case >= MessagePackFormat.FixExtension1 and <= MessagePackFormat.FixExtension16:
                length = 1 << (first - MessagePackFormat.FixExtension1);
                extension = true;
                break;
            case >= MessagePackFormat.String8 and <= MessagePackFormat.String32:
                lengthBytes = 1 << (first - MessagePackFormat.String8);
                break;
            default:
                return Fail(first == MessagePackFormat.NeverUsed ? MessagePackError.InvalidByte : MessagePackError.WrongType);
        }
        var rest = _source[(Position + 1)..];
        if (rest.Length < lengthBytes) return Fail(MessagePackError.Truncated);
        length += lengthBytes switch
        {
            0 => 0,
            1 => rest[0],
            2 => BinaryPrimitives.ReadUInt16BigEndian(rest),
            _ => BinaryPrimitives.ReadUInt32BigEndian(rest),
        };
        header += lengthBytes + (extension ? 1 : 0);
        return Position + header + length <= _source.Length || Fail(MessagePackError.Truncated);
    }

    private bool Expect(MessagePackToken token)
    {
        var next = Peek();
        if (next == token) return true;
        return Fail(next switch
        {
            MessagePackToken.End => MessagePackError.Truncated,
            MessagePackToken.Invalid => MessagePackError.InvalidByte,
            _ => MessagePackError.WrongType,
        });
    }

    private bool Fail(MessagePackError error)
    {
        Error = error;
        return false;
    }
}
