namespace Mesh.Zmtp;

/// <summary>Turns a peer's bytes into text that is safe to log.</summary>
internal static class PrintableText
{
    private const int MaxLength = 200;

    /// <summary>Printable ASCII stays, everything else becomes '?'; cut at 200 characters.</summary>
    public static string Of(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > MaxLength) bytes = bytes[..MaxLength];
        return string.Create(bytes.Length, bytes, static (text, source) =>
        {
            for (var i = 0; i < text.Length; i++) text[i] = source[i] is >= 0x20 and < 0x7F ? (char)source[i] : '?';
        });
    }
}
