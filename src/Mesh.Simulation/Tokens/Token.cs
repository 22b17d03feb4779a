using System.Text;

namespace Mesh.Simulation.Tokens;

/// <summary>
/// Token ids of the simulator. An id spells its own text, so that no vocabulary file is needed and every id can be turned back into text:
/// <code>
/// bits 28–30  kind: 0 special, 1 letters, 2 digits, 3 any other character, 4 white space
/// bit 27      a space goes before (kinds 1–3)
/// kind 1      bits 25–26: 0 lower case, 1 first letter upper, 2 all upper; bits 0–24: up to five letters of 5 bits, first letter lowest
/// kind 2      bits 10–11: how many digits (1–3); bits 0–9: their value
/// kind 3      bits 0–20: the Unicode scalar
/// kind 4      bits 16–17: 0 spaces, 1 line feeds, 2 tabs, 3 carriage returns; bits 0–4: how many (1–16)
/// </code>
/// </summary>
internal static class Token
{
    public const int BeginOfText = 1;
    public const int EndOfText = 2;
    public const int MessageStart = 3;
    public const int MessageEnd = 4;
    public const int MaxLetters = 5;
    public const int MaxDigits = 3;
    public const int MaxRun = 16;

    public const int SpaceBefore = 1 << 27;

    private const int KindShift = 28;
    private const int CaseShift = 25;

    /// <summary>Up to five ASCII letters, all lower, first upper or all upper case.</summary>
    public static int Letters(ReadOnlySpan<char> letters, bool spaceBefore)
    {
        var casing = !char.IsAsciiLetterUpper(letters[0]) ? 0 : letters.Length > 1 && char.IsAsciiLetterUpper(letters[1]) ? 2 : 1;
        var id = (1 << KindShift) | (casing << CaseShift) | (spaceBefore ? SpaceBefore : 0);
        for (var i = 0; i < letters.Length; i++) id |= ((letters[i] | 0x20) - 'a' + 1) << (5 * i);
        return id;
    }

    public static int Digits(ReadOnlySpan<char> digits, bool spaceBefore)
    {
        var value = 0;
        foreach (var digit in digits) value = (value * 10) + (digit - '0');
        return (2 << KindShift) | (spaceBefore ? SpaceBefore : 0) | (digits.Length << 10) | value;
    }

    public static int Character(Rune rune, bool spaceBefore) => (3 << KindShift) | (spaceBefore ? SpaceBefore : 0) | rune.Value;

    public static int WhiteSpace(int type, int count) => (4 << KindShift) | (type << 16) | count;

    /// <summary>Writes the text of a token; an id that this scheme does not give becomes U+FFFD.</summary>
    public static void Append(StringBuilder text, int id)
    {
        var kind = id >> KindShift;
        if (id > 0 && kind is >= 1 and <= 3 && (id & SpaceBefore) != 0) text.Append(' ');
        switch (kind)
        {
            case 0 when id is >= BeginOfText and <= MessageEnd:
                text.Append(id switch { BeginOfText => "<s>", EndOfText => "</s>", MessageStart => "<|start|>", _ => "<|end|>" });
                return;
            case 1 when (id & 0x1F) is >= 1 and <= 26:
                AppendLetters(text, id);
                return;
            case 2:
                AppendDigits(text, id);
                return;
            case 3 when Rune.IsValid(id & 0x1FFFFF):
                Span<char> pair = stackalloc char[2];
                text.Append(pair[..new Rune(id & 0x1FFFFF).EncodeToUtf16(pair)]);
                return;
            case 4:
                text.Append(" \n\t\r"[(id >> 16) & 3], id & 0x1F);
                return;
            default:
                text.Append('\uFFFD');
                return;
        }
    }

    private static void AppendLetters(StringBuilder text, int id)
    {
        var casing = (id >> CaseShift) & 3;
        for (var i = 0; i < MaxLetters; i++)
        {
            var letter = (id >> (5 * i)) & 0x1F;
            if (letter is 0 or > 26) return;
            var upper = casing == 2 || (casing == 1 && i == 0);
            text.Append((char)((upper ? 'A' : 'a') + letter - 1));
        }
    }

    private static void AppendDigits(StringBuilder text, int id)
    {
        var count = (id >> 10) & 3;
        var value = id & 0x3FF;
        if (count > 2) text.Append((char)('0' + (value / 100 % 10)));
        if (count > 1) text.Append((char)('0' + (value / 10 % 10)));
        text.Append((char)('0' + (value % 10)));
    }
}
