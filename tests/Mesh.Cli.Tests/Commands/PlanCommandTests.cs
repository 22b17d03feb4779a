using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class PlanCommandTests
{
    private static readonly string[] Small = ["plan", "--trace", "sessions", "--minutes", "1", "--rate", "40", "--seeds", "2", "--warm-up", "0s"];

    [Fact]
    public async Task Plan_Sessions_FindsAFleetAndItsMargins()
    {
        var run = await ToolRun.OfAsync([.. Small, "--max", "8", "-o", "json"]);
        Assert.True(run.ExitCode == 0, run.Error);
        var endpoints = run.Json.GetProperty("endpoints").GetInt32();
        Assert.InRange(endpoints, 1, 8);
        Assert.True(run.Json.GetProperty("at").GetProperty("margin").GetDouble() >= 0);
        Assert.Equal(2, run.Json.GetProperty("at").GetProperty("goodputShares").GetArrayLength());
        if (endpoints > 1) Assert.True(run.Json.GetProperty("oneLess").GetProperty("margin").GetDouble() < 0);
        var text = await ToolRun.OfAsync([.. Small, "--max", "8"]);
        Assert.Contains("95% of the requests at 40/s within TTFT 2000 ms and TPOT 50 ms by mesh, with 2 seeds.\n", text.Output, StringComparison.Ordinal);
        Assert.Contains("of margin with the worst seed\n", text.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_Manifests_KeepsTheGroupsParts()
    {
        var run = await ToolRun.OfAsync([.. Small, "--manifests", Manifests.Quickstart, "--fleet", Fleets.Quickstart, "--max", "16", "-o", "json"]);
        Assert.True(run.ExitCode == 0, run.Error);
        var groups = run.Json.GetProperty("groups").EnumerateArray().ToList();
        Assert.Equal(["gke-west h100", "gke-east h100", "gke-east half"], groups.Select(g => $"{g.GetProperty("cluster").GetString()} {g.GetProperty("hardware").GetString()}"));
        Assert.Equal(run.Json.GetProperty("endpoints").GetInt32(), groups.Sum(g => g.GetProperty("endpoints").GetInt32()));
    }

    [Fact]
    public async Task Plan_TooSmallALimit_Fails()
    {
        var run = await ToolRun.OfAsync([.. Small, "--max", "1", "--slo-ttft", "1ms"]);
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("error: no fleet of up to 1 endpoint serves 95% of the requests at 40/s within TTFT 1 ms and TPOT 50 ms by mesh, with 2 seeds: 1 reach 0.0%, with medians of TTFT ", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("next: raise --max, lower --rate or --goodput, or give the SLO more time\n", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plan_GeneratedChats_AreCountedAtTheirRate()
    {
        var run = await ToolRun.OfAsync("plan", "--trace", "sessions", "--minutes", "5", "--rate", "10", "--seeds", "1", "--max", "4", "-o", "json");
        Assert.True(run.ExitCode == 0, run.Error);
        // Without a warm-up the first minutes, when few chats are live, would be planned for.
        Assert.Equal(600, run.Json.GetProperty("warmUpSeconds").GetDouble());
        Assert.InRange(run.Json.GetProperty("offeredPerSecond").GetDouble(), 9, 11);
    }

    [Theory]
    [InlineData("plan --trace sessions --goodput 95", 1, "--goodput 95: 0.01–1 is expected.")]
    [InlineData("plan --trace sessions --max 0", 1, "--max 0: 1–100000 is expected.")]
    [InlineData("plan --trace sessions --profile fastest", 1, "No router is named fastest; there are ")]
    [InlineData("plan --trace sessions --manifests nowhere", 1, "--fleet FILE says how many endpoints stand where.")]
    [InlineData("plan --trace sessions --fleet nowhere.yaml", 1, "--fleet nowhere.yaml: there is no such file.")]
    [InlineData("plan --trace sessions --regions 2", 1, "--regions has no effect here")]
    [InlineData("plan --trace sessions --profile mesh,random", 1, "--profile mesh,random: a fleet is planned for one router.")]
    [InlineData("plan --trace sessions --goodput 95%", 2, "--goodput 95%: a number is expected.")]
    [InlineData("plan", 2, "Option '--trace' is required.")]
    public async Task Plan_BadInput_SaysWhatIsWrong(string arguments, int exitCode, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith(message.EndsWith("such file.", StringComparison.Ordinal) ? "next: check the path; it counts from this directory\n" : "next: mesh plan --help\n", run.Error, StringComparison.Ordinal);
    }
}
