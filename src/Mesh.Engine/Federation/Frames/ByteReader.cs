using System.Buffers.Binary;
using System.Text;

namespace Mesh.Engine.Federation.Frames;

/// <summary>Reads what <see cref="ByteWriter"/> writes. What is not of that form throws <see cref="InvalidDataException"/>; no length leads beyond the bytes.</summary>
/// <param name="bytes">The bytes.</param>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>True when nothing is left.</summary>
    public readonly bool IsAtEnd => _rest.IsEmpty;

    public byte Byte()
    {
        var value = Take(1)[0];
        return value;
    }

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Byte();
            value |= (ulong)(part & 0x7f) << shift;
            if ((part & 0x80) == 0) return value;
        }

        throw new InvalidDataException("A number has too many bytes.");
    }

    /// <summary>A number of things, at most <paramref name="most"/>.</summary>
    public int Count(int most)
    {
        var value = Number();
        return value <= (ulong)most ? (int)value : throw new InvalidDataException($"A count is {value}; at most {most} is taken.");
    }

    public long Signed()
    {
        var value = Number();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public double Real() => BinaryPrimitives.ReadSingleLittleEndian(Take(4));

    public double? RealOrNull() => Real() is var value && double.IsNaN(value) ? null : value;

    public string Text(int mostBytes) => Encoding.UTF8.GetString(Take(Count(mostBytes)));

    public ReadOnlySpan<byte> Block(int mostBytes) => Take(Count(mostBytes));

    public ulong Fixed() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length) throw new InvalidDataException("The bytes end too early.");
        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
