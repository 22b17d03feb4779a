using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests.Commands;

public sealed class VersionCommandTests
{
    [Fact]
    public async Task Version_AsText_NamesToolAndRuntime()
    {
        var run = await ToolRun.OfAsync("version");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Matches(@"\Amesh [0-9]+\.[0-9]+\.[0-9]+[^ ]*( \([0-9a-f]+\))?, \.NET 10\.[^\n]+\n\z", run.Output);
    }

    [Fact]
    public async Task Version_AsJson_HasTheSameVersion()
    {
        var version = (await ToolRun.OfAsync("version", "-o", "json")).Json.GetProperty("version").GetString();
        Assert.StartsWith($"mesh {version}", (await ToolRun.OfAsync("version")).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Version_WithAnArgument_IsAUsageError()
    {
        var run = await ToolRun.OfAsync("version", "now");
        Assert.Equal(new ToolRun(2, "", "error: mesh version has no further argument now\nnext: mesh version --help\n"), run);
    }
}
