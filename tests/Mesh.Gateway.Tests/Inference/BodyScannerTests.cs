using System.Text;
using Mesh.Core.Randomness;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Tests.Inference;

public sealed class BodyScannerTests
{
    private static BodyFacts Scan(string json)
    {
        Assert.True(BodyScanner.TryScan(Encoding.UTF8.GetBytes(json), out var facts, out var error), error.Message);
        return facts;
    }

    private static BodyError Fail(string json)
    {
        Assert.False(BodyScanner.TryScan(Encoding.UTF8.GetBytes(json), out _, out var error));
        return error;
    }

    [Fact]
    public void Scan_Completion_FindsEverything()
    {
        const string Json = """{"model":"food-review-1","prompt":"What is the best pizza in the world?","max_tokens":100,"temperature":0}""";
        var facts = Scan(Json);
        Assert.Equal(("food-review-1", false, 100, 9), (facts.Model, facts.Stream, facts.MaxOutputTokens, facts.PromptTokens));
        Assert.Equal("\"What is the best pizza in the world?\"", Json.Substring(facts.PromptValue.Offset, facts.PromptValue.Length));
    }

    [Fact]
    public void Scan_Chat_CountsTextOfContentsPartsAndToolCalls()
    {
        const string Json = """
            {"messages":[
              {"role":"system","content":"12345678"},
              {"role":"user","content":[{"type":"text","text":"1234"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAAAAAAAAAA"}}]},
              {"role":"assistant","content":null,"tool_calls":[{"id":"x","function":{"name":"f","arguments":"{\"a\":1}"}}]}
            ],"model":"m","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":7}
            """;
        var facts = Scan(Json);
        Assert.Equal((8 + 4 + 7, 12), (facts.PromptTextBytes, facts.PromptFixedTokens));
        Assert.True(facts.Stream);
        Assert.True(facts.IncludeUsage);
        Assert.Equal(7, facts.MaxOutputTokens);
        Assert.Equal('[', Json[facts.PromptValue.Offset]);
        Assert.Equal(']', Json[facts.PromptValue.Offset + facts.PromptValue.Length - 1]);
    }

    [Theory]
    [InlineData("""{"prompt":["12345678","1234"]}""", 3)]
    [InlineData("""{"prompt":[1,2,3]}""", 3)]
    [InlineData("""{"prompt":[[1,2],[3]]}""", 3)]
    [InlineData("""{"prompt":""}""", 0)]
    [InlineData("""{"prompt":"12345"}""", 2)]
    [InlineData("""{"prompt":null}""", 0)]
    [InlineData("""{"prompt":{"a":"1234"}}""", 0)]
    [InlineData("""{"prompt":"\n\n\n\n"}""", 1)]
    [InlineData("""{"prompt":"\u4e16\u754c\u4e16\u754c"}""", 3)]
    [InlineData("""{"tools":[{"name":"abc"}]}""", 4)]
    [InlineData("""{"messages":"no list"}""", 0)]
    public void Scan_Prompt_EstimatesTokens(string json, int tokens) => Assert.Equal(tokens, Scan(json).PromptTokens);

    [Theory]
    [InlineData("""{"max_tokens":"5"}""", 0)]
    [InlineData("""{"max_tokens":-5}""", 0)]
    [InlineData("""{"max_tokens":1.5}""", 0)]
    [InlineData("""{"max_tokens":99999999999}""", 0)]
    [InlineData("""{"max_tokens":null}""", 0)]
    [InlineData("""{"max_tokens":5}""", 5)]
    public void Scan_Cap_OnlyWhatCounts(string json, int cap) => Assert.Equal(cap, Scan(json).MaxOutputTokens);

    [Fact]
    public void Scan_NestedNames_AreNotTheRoots()
    {
        var facts = Scan("""{"metadata":{"model":"wrong","stream":true,"prompt":"wrong"},"model":"right"}""");
        Assert.Equal(("right", false, 0), (facts.Model, facts.Stream, facts.PromptTokens));
    }

    [Fact]
    public void Scan_ModelToolsAndSalt_SaysWhereTheyStand()
    {
        const string Json = """{"tools": [ {"a":1} ],"cache_salt" : "s\u00e9" ,"model": "m1"}""";
        var facts = Scan(Json);
        Assert.Equal("[ {\"a\":1} ]", Text(facts.ToolsValue));
        Assert.Equal("\"s\\u00e9\"", Text(facts.SaltValue));
        Assert.Equal("\"m1\"", Text(facts.ModelValue));
        Assert.True(Scan("""{"cache_salt":5}""").SaltValue.IsEmpty);

        static string Text(ByteRange range) => Json.Substring(range.Offset, range.Length);
    }

    [Fact]
    public void Scan_SameNameTwice_LastCounts() => Assert.Equal("b", Scan("""{"model":"a","model":"b"}""").Model);

    [Fact]
    public void Scan_EscapedName_IsRecognized() => Assert.Equal("a", Scan("""{"mod\u0065l":"a"}""").Model);

    [Fact]
    public void Scan_ByteOrderMark_IsSkippedAndOffsetsHold()
    {
        var json = "\uFEFF{\"model\":\"a\",\"prompt\":\"xy\"}"u8;
        Assert.True(BodyScanner.TryScan(json, out var facts, out _));
        Assert.Equal("\"xy\"", Encoding.UTF8.GetString(json.Slice(facts.PromptValue.Offset, facts.PromptValue.Length)));
    }

    [Theory]
    [InlineData("""{"model":"\ud800"}""")]
    [InlineData("""{"model":["m"]}""")]
    [InlineData("""{"model":{"a":{"b":1}}}""")]
    [InlineData("""{"model":true}""")]
    public void Scan_ModelNotText_IsTold(string json)
    {
        var facts = Scan(json);
        Assert.Null(facts.Model);
        Assert.True(facts.ModelHasWrongType);
    }

    [Theory]
    [InlineData("", 1, 1)]
    [InlineData("   ", 1, 4)]
    [InlineData("{", 1, 2)]
    [InlineData("{\"a\":1,}", 1, 8)]
    [InlineData("{\n\"a\":\n  x}", 3, 3)]
    [InlineData("{} {}", 1, 4)]
    [InlineData("{\"\\ud800\":1}", 1, 2)]
    public void Scan_BadJson_SaysWhere(string json, int line, int column)
    {
        var error = Fail(json);
        Assert.StartsWith($"Invalid JSON at line {line}, byte {column}: ", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("LineNumber", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Scan_TooDeep_IsRefused()
    {
        var deep = new string('[', BodyScanner.MaxDepth) + new string(']', BodyScanner.MaxDepth);
        Assert.Contains("depth", Fail($$"""{"a":{{deep}}}""").Message, StringComparison.Ordinal);
        var bearable = new string('[', BodyScanner.MaxDepth - 1) + new string(']', BodyScanner.MaxDepth - 1);
        Scan($$"""{"a":{{bearable}}}""");
    }

    [Fact]
    public void Scan_RandomJsonCutAndBentAnywhere_NeverThrows()
    {
        const ulong Seed = 20260101;
        var random = new Xoshiro256(Seed);
        for (var round = 0; round < 300; round++)
        {
            var text = new StringBuilder();
            RandomJson.Object(random, text, 0);
            var bytes = Encoding.UTF8.GetBytes(text.ToString());
            Assert.True(BodyScanner.TryScan(bytes, out _, out var error), $"seed {Seed}, round {round}: {error.Message}\n{text}");
            for (var cut = 0; cut < bytes.Length; cut++) Assert.False(BodyScanner.TryScan(bytes.AsSpan(0, cut), out _, out _));
            for (var bend = 0; bend < 50; bend++)
            {
                var at = random.NextInt32(bytes.Length);
                var kept = bytes[at];
                bytes[at] = (byte)random.NextInt32(256);
                BodyScanner.TryScan(bytes, out _, out _);
                bytes[at] = kept;
            }
        }
    }
}
