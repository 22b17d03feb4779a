using System.Buffers.Binary;
using System.Text;

namespace Mesh.Engine.Probing;

/// <summary>
/// The two messages of the gRPC health checking protocol, each with the five bytes that gRPC puts before a message (not compressed, length):
/// a request is field 1, the service's name; a response is field 1, the status.
/// </summary>
internal static class GrpcHealthMessages
{
    /// <summary>The status of a service that works.</summary>
    public const int Serving = 1;

    private const int PrefixBytes = 5;
    private const byte ServiceField = (1 << 3) | 2;
    private const byte StatusField = (1 << 3) | 0;

    /// <summary>The request for a service; null or empty asks for the server as a whole.</summary>
    public static byte[] Request(string? service)
    {
        var name = Encoding.UTF8.GetBytes(service ?? "");
        var message = new List<byte>(PrefixBytes + 6 + name.Length) { 0, 0, 0, 0, 0 };
        // A field that holds its default is left out.
        if (name.Length > 0)
        {
            message.Add(ServiceField);
            WriteVarint(message, (uint)name.Length);
            message.AddRange(name);
        }

        byte[] framed = [.. message];
        BinaryPrimitives.WriteInt32BigEndian(framed.AsSpan(1), framed.Length - PrefixBytes);
        return framed;
    }

    /// <summary>The status in a response; 0 (unknown) when the field is left out; false when this is no such message.</summary>
    public static bool TryReadStatus(ReadOnlySpan<byte> framed, out int status)
    {
        status = 0;
        if (framed.Length < PrefixBytes || framed[0] != 0) return false;
        if (BinaryPrimitives.ReadInt32BigEndian(framed[1..]) != framed.Length - PrefixBytes) return false;
        var message = framed[PrefixBytes..];
        if (message.IsEmpty) return true;
        if (message[0] != StatusField) return false;
        if (!TryReadVarint(message[1..], out var value)) return false;
        status = (int)value;
        return true;
    }

    private static void WriteVarint(List<byte> into, uint value)
    {
        for (; value >= 0x80; value >>= 7) into.Add((byte)(value | 0x80));
        into.Add((byte)value);
    }

    private static bool TryReadVarint(ReadOnlySpan<byte> bytes, out uint value)
    {
        value = 0;
        for (var i = 0; i < bytes.Length && i < 5; i++)
        {
            value |= (uint)(bytes[i] & 0x7F) << (7 * i);
            if ((bytes[i] & 0x80) == 0) return true;
        }

        return false;
    }
}
