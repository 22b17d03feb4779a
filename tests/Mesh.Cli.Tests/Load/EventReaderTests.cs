using System.Text;
using Mesh.Cli.Load;

namespace Mesh.Cli.Tests.Load;

public sealed class EventReaderTests
{
    private const string Chat =
        "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\r\n\r\n"
        + ": a comment\r\n\r\n"
        + "data: {\"choices\":[{\"delta\":{\"content\":\"Say \\\"error\\\": {}\"}}]}\r\n\r\n"
        + "data: {\"choices\":[{\"delta\":{\"content\":\"[DONE]\"}}]}\r\n\r\n"
        + "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":8}}}\r\n\r\n"
        + "data: [DONE]\r\n\r\n";

    /// <summary>However the network cuts the stream, the same is read.</summary>
    [Fact]
    public void Feed_AnyCut_ReadsTheSame()
    {
        var bytes = Encoding.UTF8.GetBytes(Chat);
        for (var size = 1; size <= bytes.Length; size++)
        {
            using var reader = new EventReader();
            for (var at = 0; at < bytes.Length; at += size) Assert.True(reader.Feed(bytes.AsSpan(at, Math.Min(size, bytes.Length - at)), TimeSpan.FromTicks(at)));
            Assert.Equal((2, true, null), (reader.Chunks, reader.IsDone, reader.Error));
            Assert.Equal(new Usage(11, 2, 8), reader.Usage);
            Assert.True(reader.First <= reader.Last);
        }
    }

    [Fact]
    public void Feed_FirstTextAndLast_HaveTheirTimes()
    {
        using var reader = new EventReader();
        string[] events = ["{\"choices\":[{\"delta\":{\"content\":\"\"}}]}", "{\"choices\":[{\"text\" : \"a\"}]}", "{\"choices\":[{\"text\":\"b\"}]}", "{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}]}"];
        for (var i = 0; i < events.Length; i++) reader.Feed(Encoding.UTF8.GetBytes($"data:{events[i]}\n\n"), TimeSpan.FromSeconds(i));
        Assert.Equal((2, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2), false), (reader.Chunks, reader.First, reader.Last, reader.IsDone));
    }

    [Theory]
    [InlineData("data: {\"error\":{\"code\":503,\"type\":\"overloaded\"}}\n\n", "overloaded")]
    [InlineData("data: {\"error\":{\"code\":503}}\n\n", "503")]
    [InlineData("data: {\"error\":{\"type\":\"overloaded\"}}\n\n", "overloaded")]
    [InlineData("event: error\ndata: {\"type\":\"x\",\"message\":\"y\"}\n\n", "x")]
    [InlineData("event: error\ndata: gone\n\n", "without a code")]
    [InlineData("data: {\"error\":null,\"choices\":[]}\n\n", null)]
    public void Feed_ErrorEvent_KeepsItsCode(string stream, string? code)
    {
        using var reader = new EventReader();
        reader.Feed(Encoding.UTF8.GetBytes(stream), TimeSpan.Zero);
        Assert.Equal(code, reader.Error);
    }

    [Fact]
    public void Feed_LineWithoutEnd_IsGivenUp()
    {
        using var reader = new EventReader();
        var block = new byte[65536];
        var feeds = 0;
        while (reader.Feed(block, TimeSpan.Zero)) Assert.True(++feeds <= 16, "a line grows without bound");
    }

    [Theory]
    [InlineData("{\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":2}}", 1, 2, -1)]
    [InlineData("{\"choices\":[{\"usage\":{\"prompt_tokens\":9}}],\"usage\":{\"completion_tokens\":2}}", -1, 2, -1)]
    [InlineData("{\"usage\":null}", -1, -1, -1)]
    [InlineData("{\"usage\":{\"prompt_tokens\":-1,\"completion_tokens\":\"x\"}}", -1, -1, -1)]
    [InlineData("not json", -1, -1, -1)]
    [InlineData("{\"usage\":{\"prompt_tokens\":1,", 1, -1, -1)]
    public void Usage_Read_TakesWhatIsThere(string json, int prompt, int completion, int cached) =>
        Assert.Equal(new Usage(prompt, completion, cached), Usage.Read(Encoding.UTF8.GetBytes(json)));
}
