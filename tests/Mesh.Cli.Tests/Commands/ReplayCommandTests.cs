using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class ReplayCommandTests
{
    private static readonly string[] Small = ["replay", "--trace", "sessions", "--minutes", "1", "--rate", "2", "--endpoints", "2"];

    [Fact]
    public async Task Replay_Sessions_ComparesRouters()
    {
        var run = await ToolRun.OfAsync([.. Small, "--profile", "mesh,random"]);
        Assert.Equal(0, run.ExitCode);
        var lines = run.Output.Split('\n');
        Assert.Contains(lines, l => l.Contains("mesh", StringComparison.Ordinal) && l.Contains("2/s", StringComparison.Ordinal));
        Assert.Contains(lines, l => l.Contains("random", StringComparison.Ordinal));
        Assert.Contains("random at 2/s: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SameSeed_GivesTheSameBytes()
    {
        var first = await ToolRun.OfAsync([.. Small, "-o", "json", "--seed", "9"]);
        var second = await ToolRun.OfAsync([.. Small, "-o", "json", "--seed", "9"]);
        Assert.Equal(first.Output, second.Output);
        Assert.NotEqual(System.Text.Json.JsonValueKind.Undefined, first.Json.ValueKind);
        var shares = await ToolRun.OfAsync("replay", "--trace", "sessions", "--minutes", "1", "--load", "0.5", "--saturation", "4", "--endpoints", "2", "-o", "table");
        Assert.Contains("0.5", shares.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Replay_SlowerHardware_TakesLonger()
    {
        var usual = await ToolRun.OfAsync([.. Small, "-o", "json"]);
        var mixed = await ToolRun.OfAsync([.. Small, "-o", "json", "--hardware", "1,3/2"]);
        Assert.True(E2e(mixed) > E2e(usual), $"{E2e(mixed)} and {E2e(usual)} ms");

        static double E2e(ToolRun run) => run.Json[0].GetProperty("e2eMs").GetProperty("mean").GetDouble();
    }

    [Theory]
    [InlineData("replay --trace sessions --profile fastest", 1, "No router is named fastest; there are ")]
    [InlineData("replay --trace missing.jsonl", 1, "Could not find file")]
    [InlineData("replay --trace sessions --rate 1 --load 0.5", 1, "--rate and --load exclude each other.")]
    [InlineData("replay --trace sessions --hardware fast", 1, "--hardware: 'fast': expected prefill-ratio")]
    [InlineData("replay", 2, "Option '--trace' is required.")]
    [InlineData("replay --trace sessions -o yaml", 2, "yaml")]
    public async Task Replay_BadInput_SaysWhatIsWrong(string arguments, int exitCode, string message)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal((exitCode, ""), (run.ExitCode, run.Output));
        Assert.StartsWith("error: ", run.Error, StringComparison.Ordinal);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("next: mesh replay --help\n", run.Error, StringComparison.Ordinal);
    }
}
