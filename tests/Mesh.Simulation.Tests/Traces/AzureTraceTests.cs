using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Tests.Traces;

public class AzureTraceTests
{
    private const string Header = "TIMESTAMP,ContextTokens,GeneratedTokens";

    [Fact]
    public void Read_Rows_CountTimeFromTheFirst()
    {
        var rows = AzureTrace.Read([Header, "2023-11-16 18:17:03.9799600,4808,10", "2023-11-16 18:17:04.0319600,3180,8"], "t");
        Assert.Equal([0, 52], rows.Select(r => Math.Round(r.ArrivalMs, 6)));
        Assert.Equal((4808, 10), (rows[0].PromptTokens, rows[0].OutputTokens));
        Assert.True(rows[0].Blocks.IsEmpty);
        Assert.NotEqual(rows[0].Session, rows[1].Session);
    }

    [Theory]
    [InlineData("2023-11-16 18:17:03,4808", "three fields are expected, not 2")]
    [InlineData("yesterday,4808,10", "TIMESTAMP 'yesterday' is not a date")]
    [InlineData("2023-11-16 18:17:05,0,10", "ContextTokens '0' must be a whole number")]
    [InlineData("2023-11-16 18:17:05,10,-1", "GeneratedTokens '-1' must be a whole number")]
    [InlineData("2023-11-16 18:17:02,10,1", "TIMESTAMP falls")]
    public void Read_BadLine_NamesFileLineAndProblem(string line, string expected)
    {
        var problem = Assert.Throws<TraceFormatException>(() => AzureTrace.Read([Header, "2023-11-16 18:17:03,1,1", line], "some.csv"));
        Assert.StartsWith("some.csv:3: ", problem.Message);
        Assert.Contains(expected, problem.Message);
    }

    [Fact]
    public void Read_OtherHeader_IsAnError() =>
        Assert.Contains("the header", Assert.Throws<TraceFormatException>(() => AzureTrace.Read(["a,b,c"], "t")).Message);
}
