using System.Buffers.Binary;

namespace Mesh.Gateway.Inference.RequestBody;

/// <summary>A 64-bit hash that is the same in every process and on every machine. No defence against crafted collisions.</summary>
internal static class StableHash
{
    private const ulong K0 = 0x9E3779B97F4A7C15, K1 = 0xD6E8FEB86659FD93;

    /// <summary>Hash of bytes, eight at a time; never 0, which stands for none.</summary>
    public static ulong Of(ReadOnlySpan<byte> bytes)
    {
        var hash = (ulong)bytes.Length * K1;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..]) hash = Fold(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        var rest = 0UL;
        for (var i = 0; i < bytes.Length; i++) rest |= (ulong)bytes[i] << (8 * i);
        hash = Fold(Fold(hash ^ rest));
        return hash == 0 ? K0 : hash;
    }

    /// <summary>Hash of characters; never 0.</summary>
    public static ulong Of(ReadOnlySpan<char> text)
    {
        var hash = (ulong)text.Length * K1;
        foreach (var c in text) hash = Fold(hash ^ c);
        hash = Fold(hash);
        return hash == 0 ? K0 : hash;
    }

    private static ulong Fold(ulong value)
    {
        var high = Math.BigMul(value ^ K0, K1, out var low);
        return high ^ low;
    }
}
