using Mesh.Simulation.Tests.World;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Traces;

public class MooncakeTraceTests
{
    private const string Good = """{"timestamp": 0, "input_length": 600, "output_length": 5, "hash_ids": [0, 1]}""";

    [Fact]
    public void Read_RecordedSlice_KeepsOrderAndStaysInItsTicks()
    {
        var rows = MooncakeTrace.Read(File.ReadLines(WorldFixture.DataFile("conversation-200.jsonl")), "slice", seed: 3);
        Assert.Equal(200, rows.Count);
        Assert.Equal((6758, 500, 14), (rows[0].PromptTokens, rows[0].OutputTokens, rows[0].Blocks.Length));
        Assert.Equal(rows.Select(r => r.ArrivalMs).Order(), rows.Select(r => r.ArrivalMs));
        Assert.InRange(rows[0].ArrivalMs, 0, 3000);
        Assert.Equal(200, rows.Select(r => r.ArrivalMs).Distinct().Count());
        Assert.Equal(rows.Select(r => r.ArrivalMs), MooncakeTrace.Read(File.ReadLines(WorldFixture.DataFile("conversation-200.jsonl")), "slice", seed: 3).Select(r => r.ArrivalMs));
    }

    [Fact]
    public void Read_RowsOfOneTick_SpreadUpToTheNext()
    {
        var lines = Enumerable.Repeat(Good, 50).Append(Good.Replace("\"timestamp\": 0", "\"timestamp\": 2000", StringComparison.Ordinal));
        var rows = MooncakeTrace.Read(lines, "t", seed: 1);
        Assert.All(rows.Take(50), r => Assert.InRange(r.ArrivalMs, 0, 2000));
        Assert.True(rows[49].ArrivalMs > 1500);
        // Nothing tells how long the last tick was: as long as the one before.
        Assert.InRange(rows[50].ArrivalMs, 2000, 4000);
    }

    [Fact]
    public void Read_SkipAndMost_CutASlice()
    {
        var rows = MooncakeTrace.Read(File.ReadLines(WorldFixture.DataFile("conversation-200.jsonl")), "slice", seed: 3, skip: 4, most: 2);
        Assert.Equal(6760, rows[0].PromptTokens);
        Assert.Equal(2, rows.Count);
    }

    [Theory]
    [InlineData("nonsense", "not JSON")]
    [InlineData("[1]", "a JSON object is expected")]
    [InlineData("""{"input_length": 5, "output_length": 5, "hash_ids": []}""", "timestamp is missing")]
    [InlineData("""{"timestamp": -1, "input_length": 5, "output_length": 5, "hash_ids": []}""", "timestamp must be a number, 0 to")]
    [InlineData("""{"timestamp": 0, "input_length": 0, "output_length": 5, "hash_ids": []}""", "input_length must be a number, 1 to")]
    [InlineData("""{"timestamp": 0, "input_length": "5", "output_length": 5, "hash_ids": []}""", "input_length must be a number, 1 to")]
    [InlineData("""{"timestamp": 0, "input_length": 5, "output_length": 5}""", "hash_ids is missing")]
    [InlineData("""{"timestamp": 0, "input_length": 5, "output_length": 5, "hash_ids": [1, 2]}""", "at most 1 numbers")]
    [InlineData("""{"timestamp": 0, "input_length": 5, "output_length": 5, "hash_ids": [1.5]}""", "hash_ids must be whole numbers")]
    public void Read_BadLine_NamesFileLineAndProblem(string line, string expected)
    {
        var problem = Assert.Throws<TraceFormatException>(() => MooncakeTrace.Read([Good, line], "some.jsonl", seed: 1));
        Assert.StartsWith("some.jsonl:2: ", problem.Message);
        Assert.Contains(expected, problem.Message);
    }

    [Fact]
    public void Read_TimeThatFalls_IsAnError()
    {
        var later = Good.Replace("\"timestamp\": 0", "\"timestamp\": 9", StringComparison.Ordinal);
        Assert.Contains("timestamp falls", Assert.Throws<TraceFormatException>(() => MooncakeTrace.Read([later, Good], "t", seed: 1)).Message);
    }
}
