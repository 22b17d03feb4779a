using Mesh.Cli.Output;
using Mesh.Cli.Tests.Support;

namespace Mesh.Cli.Tests;

public sealed class MeshToolTests
{
    [Fact]
    public async Task Run_WithoutArguments_ShowsHelpAsAUsageError()
    {
        var run = await ToolRun.OfAsync();
        Assert.Equal((2, ""), (run.ExitCode, run.Error));
        foreach (var command in new[] { "validate <DIR>", "explain <DIR>", "diff <OLD> <NEW>", "replay", "load <URL>", "version" }) Assert.Contains(command, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_Help_Succeeds()
    {
        var run = await ToolRun.OfAsync("explain", "--help");
        Assert.Equal((0, ""), (run.ExitCode, run.Error));
        Assert.Contains("--pool <[NS/]POOL> (REQUIRED)", run.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("validte", "mesh has no command validte; did you mean validate?", "mesh")]
    [InlineData("frobnicate", "mesh has no command frobnicate", "mesh")]
    [InlineData("validate", "Required argument 'DIR' missing for command: 'validate'.", "mesh validate")]
    [InlineData("validate x --out json", "mesh validate has no option --out; did you mean --output?", "mesh validate")]
    [InlineData("validate x -o yaml", "Option -o is yaml; it must be text or json.", "mesh validate")]
    [InlineData("validate x -o", "Required argument missing for option: '-o'.", "mesh validate")]
    [InlineData("validate x y", "mesh validate has no further argument y", "mesh validate")]
    [InlineData("diff a b --exitcode", "mesh diff has no option --exitcode; did you mean --exit-code?", "mesh diff")]
    public async Task Run_CommandLineThatCannotBeUnderstood_NamesTheMistakeOnceAndWhereHelpIs(string arguments, string message, string command)
    {
        var run = await ToolRun.OfAsync(arguments.Split(' '));
        Assert.Equal(new ToolRun(2, "", $"error: {message}\nnext: {command} --help\n"), run);
    }

    [Theory]
    [InlineData(true, null, "xterm-256color", true)]
    [InlineData(true, "", "xterm", true)]
    [InlineData(true, null, null, true)]
    [InlineData(true, "1", "xterm", false)]
    [InlineData(true, null, "dumb", false)]
    [InlineData(false, null, "xterm", false)]
    public void ColourChoice_Decide_FollowsTerminalAndNoColor(bool isTerminal, string? noColor, string? term, bool expected) =>
        Assert.Equal(expected, ColourChoice.Decide(isTerminal, name => name switch { "NO_COLOR" => noColor, "TERM" => term, _ => null }));

    [Fact]
    public void Columns_LongCell_PushesItsOwnRowAlone()
    {
        var output = new StringWriter();
        var columns = new Columns();
        columns.Add("a", "1", "x");
        columns.Add("name", new string('v', 60), "y");
        columns.Add("b", "22", "");
        columns.Write(new ToolConsole(output, TextWriter.Null), 2);
        Assert.Equal($"  a      1    x\n  name   {new string('v', 60)}   y\n  b      22\n", output.ToString());
    }
}
