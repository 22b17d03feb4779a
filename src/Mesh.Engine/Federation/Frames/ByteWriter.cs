using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Mesh.Engine.Federation.Frames;

/// <summary>Writes the small binary form of reports: numbers in as few bytes as they need, texts with their length. Not thread-safe.</summary>
internal sealed class ByteWriter
{
    private readonly ArrayBufferWriter<byte> _bytes = new(512);

    /// <summary>What has been written.</summary>
    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    /// <summary>Forgets what has been written.</summary>
    public void Clear() => _bytes.ResetWrittenCount();

    public void Byte(byte value)
    {
        _bytes.GetSpan(1)[0] = value;
        _bytes.Advance(1);
    }

    /// <summary>A number from 0 up: seven bits a byte, the lowest first.</summary>
    public void Number(ulong value)
    {
        var span = _bytes.GetSpan(10);
        var length = 0;
        while (value >= 0x80)
        {
            span[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[length++] = (byte)value;
        _bytes.Advance(length);
    }

    /// <summary>A number from 0 up; what is below counts as 0.</summary>
    public void Count(long value) => Number(value < 0 ? 0 : (ulong)value);

    /// <summary>A number of either sign.</summary>
    public void Signed(long value) => Number((ulong)(value << 1) ^ (ulong)(value >> 63));

    /// <summary>A real number to seven digits.</summary>
    public void Real(double value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(4), (float)value);
        _bytes.Advance(4);
    }

    /// <summary>A real number or nothing.</summary>
    public void Real(double? value) => Real(value ?? double.NaN);

    public void Text(string text)
    {
        Number((ulong)Encoding.UTF8.GetByteCount(text));
        Encoding.UTF8.GetBytes(text, _bytes);
    }

    public void Block(ReadOnlySpan<byte> bytes)
    {
        Number((ulong)bytes.Length);
        _bytes.Write(bytes);
    }

    public void Fixed(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_bytes.GetSpan(8), value);
        _bytes.Advance(8);
    }
}
