using System.Text;

namespace Mesh.Simulation.Tokens;

/// <summary>
/// Splits text into tokens much as byte-pair vocabularies do on English prose: a word of up to five letters is one token with the space
/// before it, a longer one is several, digits go by three, every other character is a token of its own. About four characters a token.
/// Deterministic and reversible.
/// </summary>
internal static class Tokenizer
{
    /// <summary>Appends the tokens of <paramref name="text"/>, without any token that marks its beginning.</summary>
    public static void Append(List<int> tokens, ReadOnlySpan<char> text)
    {
        var i = 0;
        while (i < text.Length)
        {
            var c = text[i];
            if (c is ' ' or '\n' or '\t' or '\r')
            {
                i += AppendWhiteSpace(tokens, text[i..], out var joinsNext);
                if (!joinsNext) continue;
                i += AppendSolid(tokens, text[i..], spaceBefore: true);
                continue;
            }

            i += AppendSolid(tokens, text[i..], spaceBefore: false);
        }
    }

    /// <summary>The text of a run of tokens.</summary>
    public static string Text(ReadOnlySpan<int> tokens)
    {
        var text = new StringBuilder(tokens.Length * 5);
        foreach (var token in tokens) Token.Append(text, token);
        return text.ToString();
    }

    /// <summary>Takes one run of equal white space. The last space of a run belongs to what follows it.</summary>
    private static int AppendWhiteSpace(List<int> tokens, ReadOnlySpan<char> text, out bool joinsNext)
    {
        var c = text[0];
        var end = text.IndexOfAnyExcept(c);
        var run = end < 0 ? text.Length : end;
        joinsNext = c == ' ' && run < text.Length && text[run] is not ('\n' or '\t' or '\r');
        var type = " \n\t\r".IndexOf(c);
        for (var left = joinsNext ? run - 1 : run; left > 0; left -= Token.MaxRun) tokens.Add(Token.WhiteSpace(type, Math.Min(left, Token.MaxRun)));
        return run;
    }

    private static int AppendSolid(List<int> tokens, ReadOnlySpan<char> text, bool spaceBefore)
    {
        var c = text[0];
        if (char.IsAsciiLetter(c))
        {
            var length = Piece(text);
            tokens.Add(Token.Letters(text[..length], spaceBefore));
            return length;
        }

        if (char.IsAsciiDigit(c))
        {
            var length = 1;
            while (length < Token.MaxDigits && length < text.Length && char.IsAsciiDigit(text[length])) length++;
            tokens.Add(Token.Digits(text[..length], spaceBefore));
            return length;
        }

        // A lone surrogate decodes to U+FFFD and takes one char.
        Rune.DecodeFromUtf16(text, out var rune, out var consumed);
        tokens.Add(Token.Character(rune, spaceBefore));
        return consumed;
    }

    /// <summary>Letters of one piece: at most five, of one of the three casings that a token can spell.</summary>
    private static int Piece(ReadOnlySpan<char> text)
    {
        var most = Math.Min(Token.MaxLetters, text.Length);
        if (most == 1 || !char.IsAsciiLetter(text[1])) return 1;
        var restUpper = char.IsAsciiLetterUpper(text[1]);
        if (restUpper && !char.IsAsciiLetterUpper(text[0])) return 1;
        var length = 2;
        while (length < most && char.IsAsciiLetter(text[length]) && char.IsAsciiLetterUpper(text[length]) == restUpper) length++;
        return length;
    }
}
