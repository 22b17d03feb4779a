using Mesh.Core.Randomness;

namespace Mesh.Simulation.Tokens;

/// <summary>
/// Writes a readable answer of exactly so many tokens. Every word has at most five letters, so that one word, comma or full stop is one
/// token, and the text, tokenized again as part of the next prompt, gives the same tokens. The same seed gives the same answer.
/// </summary>
internal static class AnswerGenerator
{
    private const int Determiner = 0, Adjective = 1, Noun = 2, Verb = 3, Link = 4;

    private static readonly int[][] Words =
    [
        Ids("the this that each some every one our my its any most"),
        Ids("best good warm fresh thin crisp light rich old small big slow quick clear plain great fine local whole bold calm sweet dry soft"),
        Ids("pizza dough crust sauce oven city taste cook guest table plate chef town story road river house light hand world night day idea shop smoke basil wheat stone water bread"),
        Ids("makes holds gives needs likes finds takes keeps turns shows meets feeds calls wins helps adds sets loves knows tells"),
        Ids("with from near after over under like for in on by as and but while where since until"),
    ];

    // A sentence walks through this order and may stop after any noun.
    private static readonly int[] Order = [Determiner, Adjective, Noun, Verb, Determiner, Noun, Link, Determiner, Adjective, Noun, Link, Determiner, Noun];

    private static readonly int Comma = Token.Character(new System.Text.Rune(','), false);
    private static readonly int FullStop = Token.Character(new System.Text.Rune('.'), false);

    /// <summary>Fills <paramref name="answer"/>.</summary>
    public static void Fill(Span<int> answer, ulong seed)
    {
        var random = new Xoshiro256(seed);
        var place = 0;
        var sentenceStart = true;
        for (var i = 0; i < answer.Length; i++)
        {
            if (place < 0)
            {
                answer[i] = Comma;
                place = ~place;
                continue;
            }

            if (place == Order.Length)
            {
                answer[i] = FullStop;
                place = 0;
                sentenceStart = true;
                continue;
            }

            var word = Pick(random, Order[place]);
            if (sentenceStart) word = Capital(word);
            answer[i] = i == 0 ? word & ~Token.SpaceBefore : word;
            sentenceStart = false;
            place = NextPlace(random, place);
        }
    }

    /// <summary>Tokens of an answer that no cap ends: 48–303, depending on the seed alone.</summary>
    public static int NaturalLength(ulong seed) => 48 + new Xoshiro256(seed ^ 0xA5A5A5A5).NextInt32(256);

    private static int NextPlace(Xoshiro256 random, int place)
    {
        var next = place + 1;
        if (Order[place] != Noun || next == Order.Length || place < 5) return next;
        return random.NextInt32(3) switch { 0 => Order.Length, 1 => ~next, _ => next };
    }

    private static int Pick(Xoshiro256 random, int kind)
    {
        var words = Words[kind];
        return words[random.NextInt32(words.Length)];
    }

    private static int Capital(int word) => word | (1 << 25);

    private static int[] Ids(string words) => [.. words.Split(' ').Select(w => Token.Letters(w, spaceBefore: true))];
}
