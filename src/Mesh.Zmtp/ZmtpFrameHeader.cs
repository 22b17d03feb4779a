using System.Buffers.Binary;

namespace Mesh.Zmtp;

/// <summary>One frame's header: a byte of flags, then the body's length in one byte, or in eight if LONG is set (RFC 37, "frame").</summary>
internal readonly record struct ZmtpFrameHeader(byte Flags, int HeaderBytes, ulong BodyBytes)
{
    /// <summary>Flag: another frame of the same message follows.</summary>
    public const byte More = 0x01;

    /// <summary>Flag: the length has eight bytes.</summary>
    public const byte Long = 0x02;

    /// <summary>Flag: the body is a command.</summary>
    public const byte Command = 0x04;

    /// <summary>Longest header.</summary>
    public const int MaxBytes = 9;

    private const byte Known = More | Long | Command;

    public bool HasMore => (Flags & More) != 0;

    public bool IsCommand => (Flags & Command) != 0;

    /// <summary>Reads a header. False with <see cref="ZmtpFailure.None"/> means that more bytes are needed.</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out ZmtpFrameHeader header, out ZmtpFailure failure)
    {
        header = default;
        failure = ZmtpFailure.None;
        if (source.IsEmpty) return false;
        var flags = source[0];
        // Commands are single frames; the upper bits are reserved and must be zero.
        if ((flags & ~Known) != 0 || (flags & (Command | More)) == (Command | More))
        {
            failure = ZmtpFailure.BadFrame;
            return false;
        }
        if ((flags & Long) == 0)
        {
            if (source.Length < 2) return false;
            header = new ZmtpFrameHeader(flags, 2, source[1]);
            return true;
        }
        if (source.Length < MaxBytes) return false;
        header = new ZmtpFrameHeader(flags, MaxBytes, BinaryPrimitives.ReadUInt64BigEndian(source[1..]));
        return true;
    }

    /// <summary>Writes the header of a frame of <paramref name="bodyBytes"/> bytes and returns its length, 2 or 9.</summary>
    public static int Write(Span<byte> target, byte flags, int bodyBytes)
    {
        if (bodyBytes <= byte.MaxValue)
        {
            target[0] = flags;
            target[1] = (byte)bodyBytes;
            return 2;
        }
        target[0] = (byte)(flags | Long);
        BinaryPrimitives.WriteUInt64BigEndian(target[1..], (ulong)bodyBytes);
        return MaxBytes;
    }
}
