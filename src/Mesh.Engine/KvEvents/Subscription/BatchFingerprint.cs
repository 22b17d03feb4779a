using System.Buffers.Binary;

namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>
/// A number that tells two publishers' batches of the same sequence apart. A batch begins with the time at which it was made, so its
/// length, its first and its last bytes are enough, whatever its size.
/// </summary>
internal static class BatchFingerprint
{
    private const int EndBytes = 32;

    public static ulong Of(ReadOnlySpan<byte> payload)
    {
        var hash = Mix(0x9E3779B97F4A7C15 ^ (ulong)payload.Length);
        if (payload.Length <= EndBytes * 2) return Of(hash, payload);
        return Of(Of(hash, payload[..EndBytes]), payload[^EndBytes..]);
    }

    private static ulong Of(ulong hash, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length >= sizeof(ulong))
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes));
            bytes = bytes[sizeof(ulong)..];
        }
        var rest = 0UL;
        foreach (var b in bytes) rest = (rest << 8) | b;
        return Mix(hash ^ rest ^ ((ulong)bytes.Length << 56));
    }

    private static ulong Mix(ulong z)
    {
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
