using System.CommandLine;
using Mesh.Simulation.Commands;

namespace Mesh.Simulation.Tests.Commands;

public class FaultsCommandTests
{
    [Fact]
    public void Faults_FewWorlds_SaysWhatHappened()
    {
        var (code, output, _) = Run("--worlds", "3", "--seed", "9");

        Assert.Equal(0, code);
        Assert.StartsWith("3 worlds, ", output);
        Assert.Contains("no invariant was broken", output);
    }

    [Fact]
    public void Faults_OneWorldWithLogAndScript_WritesEveryEvent()
    {
        var script = Path.GetTempFileName();
        try
        {
            File.WriteAllText(script, "1500 endpoint-crash 0 500\n");
            var (code, output, _) = Run("--script", script, "--log", "--recount", "1");

            Assert.Equal(0, code);
            Assert.Contains("1500.000 FAULT 1500 endpoint-crash 0 500", output);
        }
        finally
        {
            File.Delete(script);
        }
    }

    [Theory]
    [InlineData("--worlds", "0")]
    [InlineData("--recount", "0")]
    [InlineData("--script", "/nowhere/script")]
    public void Faults_BadInput_SaysSo(params string[] args)
    {
        var (code, _, error) = Run(args);

        Assert.Equal(1, code);
        Assert.NotEmpty(error);
    }

    private static (int Code, string Output, string Error) Run(params string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var code = FaultsCommand.Create().Parse(args).Invoke(new InvocationConfiguration { Output = output, Error = error });
        return (code, output.ToString(), error.ToString());
    }
}
