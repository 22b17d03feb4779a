using System.Buffers;
using System.Buffers.Binary;

namespace Mesh.Zmtp;

/// <summary>Bodies of the commands used here: a byte with the name's length, the name, then data (RFC 37, "commands").</summary>
internal static class ZmtpCommands
{
    /// <summary>Longest context of a PING, which the PONG gives back.</summary>
    public const int MaxPingContextBytes = 16;

    private const int PingTtlBytes = 2;

    /// <summary>Splits a command's body into its name and its data.</summary>
    public static bool TrySplit(ReadOnlySpan<byte> body, out ReadOnlySpan<byte> name, out ReadOnlySpan<byte> data)
    {
        name = default;
        data = default;
        if (body.IsEmpty || body[0] == 0 || body.Length < 1 + body[0]) return false;
        name = body.Slice(1, body[0]);
        data = body[(1 + body[0])..];
        return true;
    }

    /// <summary>Looks a property up in the metadata of READY. Names are compared without regard to case. False if the metadata is broken.</summary>
    public static bool TryFindProperty(ReadOnlySpan<byte> metadata, ReadOnlySpan<byte> property, out ReadOnlySpan<byte> value, out bool found)
    {
        value = default;
        found = false;
        while (!metadata.IsEmpty)
        {
            var nameBytes = metadata[0];
            if (nameBytes == 0 || metadata.Length < 1 + nameBytes + 4) return false;
            var name = metadata.Slice(1, nameBytes);
            var valueBytes = BinaryPrimitives.ReadUInt32BigEndian(metadata[(1 + nameBytes)..]);
            metadata = metadata[(1 + nameBytes + 4)..];
            if (valueBytes > (uint)metadata.Length) return false;
            if (!found && System.Text.Ascii.EqualsIgnoreCase(name, property))
            {
                value = metadata[..(int)valueBytes];
                found = true;
            }
            metadata = metadata[(int)valueBytes..];
        }
        return true;
    }

    /// <summary>The context of a PING's data (2 bytes of time to live, then up to 16 bytes).</summary>
    public static bool TryReadPing(ReadOnlySpan<byte> data, out ReadOnlySpan<byte> context)
    {
        context = default;
        if (data.Length is < PingTtlBytes or > PingTtlBytes + MaxPingContextBytes) return false;
        context = data[PingTtlBytes..];
        return true;
    }

    /// <summary>The reason in an ERROR's data: a byte with its length, then text.</summary>
    public static ReadOnlySpan<byte> ErrorReason(ReadOnlySpan<byte> data) =>
        data.IsEmpty ? data : data.Slice(1, Math.Min(data[0], data.Length - 1));

    /// <summary>READY with this end's socket type.</summary>
    public static void WriteReady(IBufferWriter<byte> output, ReadOnlySpan<byte> socketType)
    {
        Span<byte> property = stackalloc byte[64];
        var name = "Socket-Type"u8;
        property[0] = (byte)name.Length;
        name.CopyTo(property[1..]);
        BinaryPrimitives.WriteUInt32BigEndian(property[(1 + name.Length)..], (uint)socketType.Length);
        socketType.CopyTo(property[(5 + name.Length)..]);
        Write(output, "READY"u8, property[..(5 + name.Length + socketType.Length)]);
    }

    /// <summary>PING without context. The time to live, in tenths of a second, is how long the peer should wait for a sign of us.</summary>
    public static void WritePing(IBufferWriter<byte> output, TimeSpan timeToLive)
    {
        Span<byte> ttl = stackalloc byte[PingTtlBytes];
        BinaryPrimitives.WriteUInt16BigEndian(ttl, (ushort)Math.Clamp(timeToLive.TotalMilliseconds / 100, 0, ushort.MaxValue));
        Write(output, "PING"u8, ttl);
    }

    /// <summary>PONG with the context of the PING that it answers.</summary>
    public static void WritePong(IBufferWriter<byte> output, ReadOnlySpan<byte> context) => Write(output, "PONG"u8, context);

    /// <summary>SUBSCRIBE, for peers of 3.1 and later.</summary>
    public static void WriteSubscribe(IBufferWriter<byte> output, ReadOnlySpan<byte> topic) => Write(output, "SUBSCRIBE"u8, topic);

    /// <summary>A command frame.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        var bodyBytes = 1 + name.Length + data.Length;
        var target = output.GetSpan(ZmtpFrameHeader.MaxBytes + bodyBytes);
        var at = ZmtpFrameHeader.Write(target, ZmtpFrameHeader.Command, bodyBytes);
        target[at++] = (byte)name.Length;
        name.CopyTo(target[at..]);
        data.CopyTo(target[(at + name.Length)..]);
        output.Advance(at + name.Length + data.Length);
    }

    /// <summary>One frame of a message.</summary>
    public static void WriteFrame(IBufferWriter<byte> output, ReadOnlySpan<byte> body, bool more)
    {
        var target = output.GetSpan(ZmtpFrameHeader.MaxBytes + body.Length);
        var at = ZmtpFrameHeader.Write(target, more ? ZmtpFrameHeader.More : (byte)0, body.Length);
        body.CopyTo(target[at..]);
        output.Advance(at + body.Length);
    }
}
