using System.CommandLine;
using Mesh.Simulation.Commands;

namespace Mesh.Simulation.Tests.Commands;

public class RegionsCommandTests
{
    [Fact]
    public void Regions_ShortSessions_HaveALineForEachPolicy()
    {
        var (code, output, _) = Run("--seconds", "5", "--capacity", "4", "--endpoints", "1", "--policy", "alone", "mesh");

        Assert.Equal(0, code);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["policy", "alone", "mesh"], lines.Select(l => l.Split(' ')[0]));
    }

    [Theory]
    [InlineData("--trace /nowhere/trace.jsonl", "Could not find")]
    [InlineData("--load 160 40 -5", "--load -5: 0–10000 is expected.")]
    [InlineData("--load 0 0 0", "--load 0 everywhere")]
    [InlineData("--rtt 80 150", "--rtt has 2 times; one is expected, or one for each of the 3 pairs of 3 regions")]
    [InlineData("--capacity 0", "--capacity 0: 0.001–1000000 is expected.")]
    [InlineData("--endpoints 0", "--endpoints 0: 1–10000 is expected.")]
    [InlineData("--policy best", "--policy best: one of alone, waterfall-1s, credits, mesh, omniscient is expected.")]
    public void Regions_BadInput_SaysSo(string arguments, string message)
    {
        var (code, output, error) = Run(arguments.Split(' '));

        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith(message, error, StringComparison.Ordinal);
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var code = RegionsCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
