using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ReplayDeterminismTests
{
    [Fact]
    public async Task Replay_SameSeed_SameBytes()
    {
        string[] args = ["--trace", Path.Combine(AppContext.BaseDirectory, "Traces", "conversation-200.jsonl"), "--rate", "12", "--endpoints", "4", "-o", "json", "--profile"];
        const string Routers = "mesh,random,epp-default,study-late,smg-least-load,affinity-token-load";
        var first = await Output([.. args, Routers, "--seed", "7"]);
        Assert.Equal(first, await Output([.. args, Routers, "--seed", "7"]));
        Assert.NotEqual(first, await Output([.. args, Routers, "--seed", "8"]));
    }

    [Fact]
    public async Task Replay_GeneratedSessions_SameBytes()
    {
        string[] args = ["--trace", "sessions", "--minutes", "2", "--rate", "20", "--endpoints", "4", "--burstiness", "1.5", "--profile", "mesh"];
        var first = await Output(args);
        Assert.Equal(first, await Output(args));
        Assert.Contains("mesh", first);
    }

    private static async Task<string> Output(string[] args)
    {
        var run = await ToolRun.OfAsync(["replay", .. args]);
        Assert.True(run.ExitCode == 0, run.Error);
        return run.Output;
    }
}
