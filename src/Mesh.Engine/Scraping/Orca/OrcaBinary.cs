using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace Mesh.Engine.Scraping.Orca;

/// <summary>
/// A load report as a protobuf message in base64, whose padding may be missing. Of <c>OrcaLoadReport</c> the fields 1, 2 and 9 (CPU, memory and
/// application utilization) and the maps 5 and 8 (utilization, named metrics) are read.
/// </summary>
internal static class OrcaBinary
{
    private const int StackLength = 512;
    private const int Fixed64 = 1;
    private const int Bytes = 2;

    /// <summary>Reads it; false when it is broken or tells nothing that is known.</summary>
    public static bool TryParse(ReadOnlySpan<byte> base64, out OrcaReport report)
    {
        report = default;
        base64 = base64.Trim(" \t"u8).TrimEnd((byte)'=');
        if (base64.Length > OrcaHeader.MaxLength) return false;
        var padded = (base64.Length + 3) & ~3;
        var rented = padded > StackLength ? ArrayPool<byte>.Shared.Rent(padded) : null;
        Span<byte> buffer = rented is null ? stackalloc byte[StackLength] : rented;
        buffer = buffer[..padded];
        base64.CopyTo(buffer);
        buffer[base64.Length..].Fill((byte)'=');
        var decoded = Base64.DecodeFromUtf8InPlace(buffer, out var length) == OperationStatus.Done;
        if (!decoded || !TryRead(buffer[..length], ref report)) report = default;
        if (rented is not null) ArrayPool<byte>.Shared.Return(rented);
        return !report.IsEmpty;
    }

    private static bool TryRead(ReadOnlySpan<byte> message, ref OrcaReport report)
    {
        while (!message.IsEmpty)
        {
            if (!TryField(ref message, out var field, out var wire, out var content)) return false;
            switch (field, wire)
            {
                case (1, Fixed64):
                    report = report.With("cpu_utilization"u8, BinaryPrimitives.ReadDoubleLittleEndian(content));
                    break;
                case (2, Fixed64):
                    report = report.With("mem_utilization"u8, BinaryPrimitives.ReadDoubleLittleEndian(content));
                    break;
                case (9, Fixed64):
                    report = report.With("application_utilization"u8, BinaryPrimitives.ReadDoubleLittleEndian(content));
                    break;
                case (5 or 8, Bytes):
                    if (!TryReadEntry(content, ref report)) return false;
                    break;
            }
        }

        return true;
    }

    private static bool TryReadEntry(ReadOnlySpan<byte> entry, ref OrcaReport report)
    {
        ReadOnlySpan<byte> name = default;
        var value = 0.0;
        while (!entry.IsEmpty)
        {
            if (!TryField(ref entry, out var field, out var wire, out var content)) return false;
            if ((field, wire) == (1, Bytes)) name = content;
            else if ((field, wire) == (2, Fixed64)) value = BinaryPrimitives.ReadDoubleLittleEndian(content);
        }

        report = report.WithNamed(name, value);
        return true;
    }

    /// <summary>Cuts the next field off a message; false when it is broken.</summary>
    private static bool TryField(scoped ref ReadOnlySpan<byte> message, out ulong field, out int wire, out ReadOnlySpan<byte> content)
    {
        content = default;
        field = 0;
        wire = 0;
        if (!TryVarint(ref message, out var tag)) return false;
        field = tag >> 3;
        wire = (int)(tag & 7);
        ulong length;
        switch (wire)
        {
            case 0:
                return field > 0 && TryVarint(ref message, out _);
            case Fixed64:
                length = 8;
                break;
            case Bytes:
                if (!TryVarint(ref message, out length)) return false;
                break;
            case 5:
                length = 4;
                break;
            default:
                return false;
        }

        if (field == 0 || length > (ulong)message.Length) return false;
        content = message[..(int)length];
        message = message[(int)length..];
        return true;
    }

    private static bool TryVarint(scoped ref ReadOnlySpan<byte> message, out ulong value)
    {
        value = 0;
        for (var i = 0; i < Math.Min(10, message.Length); i++)
        {
            value |= (ulong)(message[i] & 0x7F) << (7 * i);
            if (message[i] >= 0x80) continue;
            message = message[(i + 1)..];
            return true;
        }

        return false;
    }
}
