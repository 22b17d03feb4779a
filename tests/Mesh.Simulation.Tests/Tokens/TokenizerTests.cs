using System.Runtime.InteropServices;
using Mesh.Core.Randomness;
using Mesh.Simulation.Tokens;

namespace Mesh.Simulation.Tests.Tokens;

public class TokenizerTests
{
    private static List<int> Tokens(string text)
    {
        List<int> tokens = [];
        Tokenizer.Append(tokens, text);
        return tokens;
    }

    private static string Text(List<int> tokens) => Tokenizer.Text(CollectionsMarshal.AsSpan(tokens));

    [Theory]
    [InlineData("", 0)]
    [InlineData("What is the best pizza in the world?", 9)]
    [InlineData("Neapolitan", 2)]
    [InlineData("12345", 2)]
    [InlineData("a, b", 3)]
    [InlineData("line\n\nline", 3)]
    [InlineData("  indented", 3)]
    public void Append_Text_CountsWordsAndPunctuation(string text, int expected) => Assert.Equal(expected, Tokens(text).Count);

    [Theory]
    [InlineData("What is the best pizza in the world?")]
    [InlineData("camelCase HTTPServer ALLCAPS iPhone x Y ZZ")]
    [InlineData("007 100000 3.14 -5")]
    [InlineData(" leading and trailing  \n\t\r\n end \n")]
    [InlineData("Grüße, 東京 😀! {\"a\": [1, 2]}")]
    public void Text_OfTokens_IsTheTextAgain(string text) => Assert.Equal(text, Text(Tokens(text)));

    [Fact]
    public void Text_RandomText_RoundTrips()
    {
        const string alphabet = "abcXYZ 0189\n\t,.é東 \r";
        for (var seed = 1UL; seed <= 200; seed++)
        {
            var random = new Xoshiro256(seed);
            var text = string.Concat(Enumerable.Range(0, random.NextInt32(200)).Select(_ => alphabet[random.NextInt32(alphabet.Length)]));
            Assert.True(text == Text(Tokens(text)), $"seed {seed}: {text}");
            Assert.All(Tokens(text), id => Assert.True(id > 0));
        }
    }

    [Fact]
    public void Text_UnknownIds_BecomeReplacementCharacters() => Assert.Equal("\uFFFD\uFFFD\uFFFD", Tokenizer.Text([0, 1234, -1]));

    [Fact]
    public void Append_LongWhiteSpace_IsGroupedBySixteen() => Assert.Equal(3, Tokens(new string('\n', 40)).Count);

    [Fact]
    public void Fill_AnyLength_ReadsBackAsTheSameTokens()
    {
        for (var seed = 1UL; seed <= 50; seed++)
        {
            var answer = new int[1 + (int)(seed * 7)];
            AnswerGenerator.Fill(answer, seed);
            Assert.Equal(answer, Tokens(Tokenizer.Text(answer)));
        }
    }

    [Fact]
    public void Fill_LongerAnswerOfOneSeed_BeginsWithTheShorter()
    {
        var brief = new int[20];
        var full = new int[200];
        AnswerGenerator.Fill(brief, 42);
        AnswerGenerator.Fill(full, 42);
        Assert.Equal(brief, full[..20]);
        AnswerGenerator.Fill(brief, 43);
        Assert.NotEqual(brief, full[..20]);
    }

    [Fact]
    public void Hash_SameBeginning_SharesItsBlocksOnly()
    {
        var left = Tokens("one two three four five six seven eight nine ten");
        var right = Tokens("one two three four five six seven eight nine end");
        var seed = BlockHasher.Seed(null, null);
        var a = BlockHasher.Hash(CollectionsMarshal.AsSpan(left), [], 4, seed);
        var b = BlockHasher.Hash(CollectionsMarshal.AsSpan(right), [], 4, seed);
        Assert.Equal(a[..2], b[..2]);
        var c = BlockHasher.Hash(CollectionsMarshal.AsSpan(left), [], 4, BlockHasher.Seed("adapter", null));
        Assert.NotEqual(a[0], c[0]);
        var d = BlockHasher.Hash(CollectionsMarshal.AsSpan(left), [], 4, BlockHasher.Seed(null, "salt"));
        Assert.NotEqual(a[0], d[0]);
    }

    [Fact]
    public void Hash_PromptAndAnswer_EqualsTheirConcatenation()
    {
        int[] prompt = [1, 2, 3, 4, 5, 6];
        int[] answer = [7, 8, 9, 10, 11];
        var whole = BlockHasher.Hash((int[])[.. prompt, .. answer], [], 4, 9);
        Assert.Equal(whole, BlockHasher.Hash(prompt, answer, 4, 9));
        Assert.Equal(2, whole.Length);
    }
}
