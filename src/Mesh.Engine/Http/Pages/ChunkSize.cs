namespace Mesh.Engine.Http.Pages;

/// <summary>The line before a chunk: its size in hexadecimal digits, and extensions that nobody needs.</summary>
internal static class ChunkSize
{
    private const int MaxDigits = 15;

    /// <summary>Reads it; false when there is none. Never negative.</summary>
    public static bool TryRead(ReadOnlySpan<byte> line, out long size)
    {
        size = 0;
        var digits = 0;
        while (digits < line.Length && char.IsAsciiHexDigit((char)line[digits]))
        {
            if (digits == MaxDigits) return false;
            size = size * 16 + Value(line[digits]);
            digits++;
        }

        var rest = line[digits..].TrimStart(" \t"u8);
        return digits > 0 && (rest.IsEmpty || rest[0] == ';');
    }

    private static int Value(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
