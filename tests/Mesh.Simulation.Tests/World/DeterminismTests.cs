using Mesh.Simulation.Commands;

namespace Mesh.Simulation.Tests.World;

public class DeterminismTests
{
    [Fact]
    public void Replay_SameSeed_SameBytes()
    {
        string[] args = ["--trace", WorldFixture.DataFile("conversation-200.jsonl"), "--rate", "12", "--endpoints", "4", "-o", "json", "--profile"];
        const string Routers = "mesh,random,epp-default,study-late,smg-least-load,affinity-token-load";
        var first = Output([.. args, Routers, "--seed", "7"]);
        Assert.Equal(first, Output([.. args, Routers, "--seed", "7"]));
        Assert.NotEqual(first, Output([.. args, Routers, "--seed", "8"]));
    }

    [Fact]
    public void Replay_GeneratedSessions_SameBytes()
    {
        string[] args = ["--trace", "sessions", "--minutes", "2", "--rate", "20", "--endpoints", "4", "--burstiness", "1.5", "--profile", "mesh"];
        var first = Output(args);
        Assert.Equal(first, Output(args));
        Assert.Contains("mesh", first);
    }

    private static string Output(string[] args)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var code = ReplayCommand.Create().Parse(args).Invoke(new System.CommandLine.InvocationConfiguration { Output = output, Error = error });
        Assert.True(code == 0, error.ToString());
        return output.ToString();
    }
}
