using System.Text;
using Mesh.Core.PrefixCache;
using Mesh.Core.Randomness;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Tests.Inference;

public sealed class PromptChainTests
{
    private const string Tools = """[{"type":"function","function":{"name":"get_weather","parameters":{"type":"object"}}}]""";

    private static readonly string Long = string.Concat(Enumerable.Range(0, 400).Select(i => $"Sentence number {i} of the prompt. "));

    private static ulong[] Chain(string json, string? model = null)
    {
        var body = Encoding.UTF8.GetBytes(json);
        Assert.True(BodyScanner.TryScan(body, out var facts, out var error), error.Message);
        var chain = new ulong[PromptChain.MaxBlocks];
        return chain[..PromptChain.Compute(body, facts, model ?? facts.Model!, chain)];
    }

    private static string Chat(string system, params string[] turns)
    {
        var messages = turns.Select((t, i) => $$"""{"role":"{{(i % 2 == 0 ? "user" : "assistant")}}","content":"{{t}}"}""").Prepend($$"""{"role":"system","content":"{{system}}"}""");
        return $$"""{"model":"m","messages":[{{string.Join(',', messages)}}]}""";
    }

    private static int Shared(ulong[] a, ulong[] b) => a.Zip(b).TakeWhile(p => p.First == p.Second).Count();

    private static int BlocksIn(int bytes)
    {
        var blocks = 0;
        while (PrefixLayout.Growing.TokensIn(blocks + 1) * PromptHasher.BytesPerToken <= bytes) blocks++;
        return blocks;
    }

    [Fact]
    public void Compute_GrowingConversation_SharesEveryWholeBlockOfTheEarlierTurns()
    {
        ulong[] before = [];
        var turns = new List<string>();
        for (var turn = 0; turn < 12; turn++)
        {
            turns.Add($"{turn}: {Long[..(300 + (turn * 211))]}");
            var chain = Chain(Chat(Long, [.. turns]));
            Assert.True(chain.Length >= before.Length);
            Assert.Equal(before.Length, Shared(before, chain));
            before = chain;
        }

        Assert.True(before.Length > 50, $"{before.Length} blocks");
    }

    [Fact]
    public void Compute_OtherSystemPrompt_SharesNothing() =>
        Assert.Equal(0, Shared(Chain(Chat("A" + Long, Long)), Chain(Chat("B" + Long, Long))));

    [Fact]
    public void Compute_OtherLastMessage_SharesWhatIsBeforeIt()
    {
        var a = Chain(Chat(Long, "What is it?" + Long));
        var b = Chain(Chat(Long, "Where is it?" + Long));
        var systemBlocks = BlocksIn(Long.Length);
        Assert.InRange(Shared(a, b), systemBlocks, systemBlocks + 1);
    }

    [Fact]
    public void Compute_OrderOfNamesAndWhiteSpace_MakeNoDifference()
    {
        var expected = Chain($$$"""{"model":"m","tools":{{{Tools}}},"messages":[{"role":"user","content":"{{{Long}}}"},{"role":"assistant","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{}"}}]}]}""");
        Assert.NotEmpty(expected);
        var spaced = Tools.Replace(":", " :\n ", StringComparison.Ordinal).Replace(",", "\t, ", StringComparison.Ordinal);
        var other = Chain($$$"""
            { "messages" : [ { "content" : "{{{Long}}}" , "role" : "user" },
              { "tool_calls" : [ { "id" : "1", "function" : { "name" : "f" , "arguments" : "{}" } } ] , "role": "assistant" } ] ,
              "temperature": 0.5, "tools" : {{{spaced}}} , "model" : "m" }
            """);
        Assert.Equal(expected, other);
    }

    [Fact]
    public void Compute_ToolsComeFirst()
    {
        string With(string tools) => $$"""{"model":"m","messages":[{"role":"user","content":"{{Long}}"}],"tools":{{tools}}}""";
        Assert.Equal(0, Shared(Chain(With(Tools)), Chain(With(Tools.Replace("weather", "traffic", StringComparison.Ordinal)))));
    }

    [Fact]
    public void Compute_OneTextPart_IsTheSameAsTheText()
    {
        var text = Chain($$"""{"model":"m","messages":[{"role":"user","content":"{{Long}}"}]}""");
        var part = Chain($$"""{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"{{Long}}"}]}]}""");
        Assert.Equal(text, part);
    }

    [Fact]
    public void Compute_Image_CountsShortAndTellsImagesApart()
    {
        string With(char pixel) => $$$"""
            {"model":"m","messages":[{"role":"user","content":[
              {"type":"image_url","image_url":{"url":"data:image/png;base64,{{{new string(pixel, 100_000)}}}"}},{"type":"text","text":"{{{Long}}}"}]}]}
            """;
        var a = Chain(With('A'));
        Assert.Equal(BlocksIn(Long.Length), a.Length);
        Assert.Equal(a, Chain(With('A')));
        Assert.Equal(0, Shared(a, Chain(With('B'))));
    }

    [Fact]
    public void Compute_ModelAndSalt_SeparateCaches()
    {
        var json = $$"""{"model":"m","prompt":"{{Long}}"}""";
        var salted = $$"""{"model":"m","prompt":"{{Long}}","cache_salt":"s1"}""";
        var plain = Chain(json);
        Assert.Equal(0, Shared(plain, Chain(json, "other")));
        Assert.Equal(0, Shared(plain, Chain(salted)));
        Assert.Equal(0, Shared(Chain(salted), Chain(salted.Replace("s1", "s2", StringComparison.Ordinal))));
        Assert.Equal(Chain(salted), Chain($$"""{"cache_salt":"s1","model":"m","prompt":"{{Long}}"}"""));
        Assert.NotEmpty(Chain(json, new string('m', 5000)));
    }

    [Fact]
    public void Compute_TokenIds_BlocksAreTokens()
    {
        static string Ids(int count, int first = 0) => $$"""{"model":"m","prompt":[{{string.Join(", ", Enumerable.Range(first, count))}}]}""";
        Assert.Empty(Chain(Ids(62)));
        Assert.Single(Chain(Ids(64)));
        var longer = Chain(Ids(1000));
        Assert.Equal(1000 / 64, longer.Length);
        Assert.Equal(Chain(Ids(640)), longer[..10]);
        Assert.Equal(0, Shared(longer, Chain(Ids(1000, first: 1))));
    }

    [Fact]
    public void Compute_NumbersThatAreNoTokenIds_StillTellPromptsApart()
    {
        static string Numbers(string number) => $$"""{"model":"m","prompt":[{{string.Join(',', Enumerable.Repeat(number, 200))}}]}""";
        Assert.NotEmpty(Chain(Numbers("1.5")));
        Assert.Equal(0, Shared(Chain(Numbers("1.5")), Chain(Numbers("99999999999"))));
    }

    [Fact]
    public void Compute_HugePrompt_EndsWithTheLayout() =>
        Assert.Equal(PromptChain.MaxBlocks, Chain($$"""{"model":"m","prompt":"{{new string('x', 1_200_000)}}"}""").Length);

    [Fact]
    public void Compute_Warm_AllocatesNothing()
    {
        var body = Encoding.UTF8.GetBytes(Chat(Long, Long, Long));
        Assert.True(BodyScanner.TryScan(body, out var facts, out _));
        var chain = new ulong[PromptChain.MaxBlocks];
        PromptChain.Compute(body, facts, "m", chain);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 100; i++) PromptChain.Compute(body, facts, "m", chain);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void Compute_RandomBodies_NeverThrows()
    {
        const ulong Seed = 20260202;
        var random = new Xoshiro256(Seed);
        var chain = new ulong[PromptChain.MaxBlocks];
        for (var round = 0; round < 500; round++)
        {
            var text = new StringBuilder("{\"model\":\"m\",\"tools\":");
            RandomJson.Object(random, text, 0);
            text.Append(",\"messages\":[");
            RandomJson.Object(random, text, 0);
            text.Append(",{\"role\":\"user\",\"content\":[");
            RandomJson.Object(random, text, 0);
            text.Append(",7,null,[1],{\"text\":");
            RandomJson.Object(random, text, 0);
            text.Append("}]}]}");
            var body = Encoding.UTF8.GetBytes(text.ToString());
            Assert.True(BodyScanner.TryScan(body, out var facts, out var error), $"seed {Seed}, round {round}: {error.Message}\n{text}");
            PromptChain.Compute(body, facts, "m", chain);
        }
    }
}
