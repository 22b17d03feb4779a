using System.Buffers;
using System.Buffers.Binary;

namespace Mesh.Zmtp.MessagePack;

/// <summary>
/// Writes MessagePack values, each in its shortest form, to a buffer: as much as a publisher of KV events needs. The caller keeps the
/// promise of a container's count. Not thread-safe.
/// </summary>
/// <param name="output">Where the bytes go.</param>
public readonly struct MessagePackWriter(IBufferWriter<byte> output)
{
    private const int MaxHeaderBytes = 9;

    /// <summary>Writes a nil.</summary>
    public void WriteNil() => WriteByte(MessagePackFormat.Nil);

    /// <summary>Writes a boolean.</summary>
    public void Write(bool value) => WriteByte(value ? MessagePackFormat.True : MessagePackFormat.False);

    /// <summary>Writes an integer in its shortest form.</summary>
    public void Write(long value)
    {
        if (value >= 0)
        {
            Write((ulong)value);
            return;
        }
        var target = output.GetSpan(MaxHeaderBytes);
        switch (value)
        {
            case >= -32:
                target[0] = (byte)value;
                output.Advance(1);
                break;
            case >= sbyte.MinValue:
                target[0] = MessagePackFormat.Int8;
                target[1] = (byte)value;
                output.Advance(2);
                break;
            case >= short.MinValue:
                target[0] = MessagePackFormat.Int16;
                BinaryPrimitives.WriteInt16BigEndian(target[1..], (short)value);
                output.Advance(3);
                break;
            case >= int.MinValue:
                target[0] = MessagePackFormat.Int32;
                BinaryPrimitives.WriteInt32BigEndian(target[1..], (int)value);
                output.Advance(5);
                break;
            default:
                target[0] = MessagePackFormat.Int64;
                BinaryPrimitives.WriteInt64BigEndian(target[1..], value);
                output.Advance(9);
                break;
        }
    }

    /// <summary>Writes an integer in its shortest form.</summary>
    public void Write(ulong value)
    {
        if (value <= MessagePackFormat.MaxPositiveFixInt)
        {
            WriteByte((byte)value);
            return;
        }
        WriteLength(value, MessagePackFormat.UInt8, MessagePackFormat.UInt16, MessagePackFormat.UInt32);
    }

    /// <summary>Writes a float of 64 bits.</summary>
    public void Write(double value)
    {
        var target = output.GetSpan(MaxHeaderBytes);
        target[0] = MessagePackFormat.Float64;
        BinaryPrimitives.WriteDoubleBigEndian(target[1..], value);
        output.Advance(9);
    }

    /// <summary>Writes a string, given as UTF-8.</summary>
    public void WriteString(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length < 32) WriteByte((byte)(MessagePackFormat.FixString | utf8.Length));
        else WriteLength((ulong)utf8.Length, MessagePackFormat.String8, MessagePackFormat.String16, MessagePackFormat.String32);
        output.Write(utf8);
    }

    /// <summary>Writes a byte string.</summary>
    public void WriteBinary(ReadOnlySpan<byte> bytes)
    {
        WriteLength((ulong)bytes.Length, MessagePackFormat.Binary8, MessagePackFormat.Binary16, MessagePackFormat.Binary32);
        output.Write(bytes);
    }

    /// <summary>Begins an array; the caller writes <paramref name="count"/> values.</summary>
    public void WriteArrayHeader(int count) => WriteContainer(count, MessagePackFormat.FixArray, MessagePackFormat.Array16, MessagePackFormat.Array32);

    /// <summary>Begins a map; the caller writes <paramref name="pairs"/> keys, each followed by its value.</summary>
    public void WriteMapHeader(int pairs) => WriteContainer(pairs, MessagePackFormat.FixMap, MessagePackFormat.Map16, MessagePackFormat.Map32);

    private void WriteContainer(int count, byte fix, byte two, byte four)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (count < 16) WriteByte((byte)(fix | count));
        else WriteLength((ulong)count, null, two, four);
    }

    // The first byte for the shortest width that holds the value, then the value; eight bytes exist for integers alone.
    private void WriteLength(ulong value, byte? one, byte two, byte four)
    {
        var target = output.GetSpan(MaxHeaderBytes);
        if (value <= byte.MaxValue && one is { } first)
        {
            target[0] = first;
            target[1] = (byte)value;
            output.Advance(2);
        }
        else if (value <= ushort.MaxValue)
        {
            target[0] = two;
            BinaryPrimitives.WriteUInt16BigEndian(target[1..], (ushort)value);
            output.Advance(3);
        }
        else if (value <= uint.MaxValue)
        {
            target[0] = four;
            BinaryPrimitives.WriteUInt32BigEndian(target[1..], (uint)value);
            output.Advance(5);
        }
        else
        {
            target[0] = MessagePackFormat.UInt64;
            BinaryPrimitives.WriteUInt64BigEndian(target[1..], value);
            output.Advance(9);
        }
    }

    private void WriteByte(byte value)
    {
        output.GetSpan(1)[0] = value;
        output.Advance(1);
    }
}
