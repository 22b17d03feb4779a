using System.Buffers.Text;

namespace Mesh.Gateway.Inference.Usage;

/// <summary>Reads the last <c>sequence_number</c> in the tail of a stream of the Responses API.</summary>
internal static class SequenceReader
{
    /// <summary>The number that comes next; 0 when the tail has none.</summary>
    public static long Next(ReadOnlySpan<byte> tail)
    {
        var name = "\"sequence_number\":"u8;
        var at = tail.LastIndexOf(name);
        if (at < 0) return 0;
        var value = tail[(at + name.Length)..].TrimStart((byte)' ');
        return Utf8Parser.TryParse(value, out long number, out _) && number is >= 0 and < long.MaxValue ? number + 1 : 0;
    }
}
