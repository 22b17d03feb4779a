using System.Text;
using Mesh.Gateway.Inference.ModelRewriting;

namespace Mesh.Gateway.Tests.Inference;

public sealed class ModelNameRestorerTests
{
    /// <summary>Every way to cut the text in two, and single bytes.</summary>
    private static void Check(bool isStream, string input, string expected)
    {
        var bytes = Encoding.UTF8.GetBytes(input);
        for (var cut = 0; cut <= bytes.Length; cut++) Assert.Equal(expected, Run(isStream, bytes[..cut], bytes[cut..]));
        Assert.Equal(expected, Run(isStream, [.. bytes.Select(b => new[] { b })]));
    }

    private static string Run(bool isStream, params byte[][] pieces)
    {
        using var restorer = new ModelNameRestorer(isStream, "\"client\""u8.ToArray());
        var output = new MemoryStream();
        foreach (var piece in pieces) output.Write(restorer.Restore(piece).Span);
        return Encoding.UTF8.GetString(output.ToArray());
    }

    [Theory]
    [InlineData("""{"id":"1","model":"sent","x":1}""", """{"id":"1","model":"client","x":1}""")]
    [InlineData("""{ "model" : "se\"n\\t" }""", """{ "model" : "client" }""")]
    [InlineData("""{"model":""}""", """{"model":"client"}""")]
    [InlineData("""{"choices":[{"model":"inner"}],"model":"sent"}""", """{"choices":[{"model":"inner"}],"model":"client"}""")]
    [InlineData("""{"text":"\"model\":\"x\"","model":"sent"}""", """{"text":"\"model\":\"x\"","model":"client"}""")]
    [InlineData("""{"model":null,"models":"a","mode":"b","xmodel":"c"}""", """{"model":null,"models":"a","mode":"b","xmodel":"c"}""")]
    [InlineData("""{"a":"model","b":["model","x"]}""", """{"a":"model","b":["model","x"]}""")]
    [InlineData("""{"model":["x"],"model":{"model":"y"}}""", """{"model":["x"],"model":{"model":"y"}}""")]
    [InlineData("""["model","x"]""", """["model","x"]""")]
    [InlineData("no json", "no json")]
    public void Restore_Plain(string input, string expected) => Check(false, input, expected);

    [Theory]
    [InlineData("data: {\"model\":\"sent\",\"n\":1}\n\ndata:{\"n\":2,\"model\": \"sent\"}\r\n\r\ndata: [DONE]\n\n", "data: {\"model\":\"client\",\"n\":1}\n\ndata:{\"n\":2,\"model\": \"client\"}\r\n\r\ndata: [DONE]\n\n")]
    [InlineData(": {\"model\":\"x\"}\nevent: {\"model\":\"x\"}\ndata: {\"model\":\"sent\"}\n\n", ": {\"model\":\"x\"}\nevent: {\"model\":\"x\"}\ndata: {\"model\":\"client\"}\n\n")]
    [InlineData("data: {\"model\":\"cut\ndata: {\"model\":\"sent\"}\n", "data: {\"model\":\"client\"\ndata: {\"model\":\"client\"}\n")]
    public void Restore_Stream(string input, string expected) => Check(true, input, expected);

    [Fact]
    public void Restore_LargeChunk_GrowsAndKeepsEveryByte()
    {
        var text = string.Concat(Enumerable.Repeat("data: {\"model\":\"s\",\"t\":\"ü\"}\n\n", 5000));
        Assert.Equal(text.Replace("\"s\"", "\"client\"", StringComparison.Ordinal), Run(true, Encoding.UTF8.GetBytes(text)));
    }
}
