using System.Text.Json;
using Mesh.Cli.Output;

namespace Mesh.Cli.Tests.Support;

/// <summary>One run of the tool in this process, with what it wrote.</summary>
internal sealed record ToolRun(int ExitCode, string Output, string Error)
{
    public JsonElement Json => JsonDocument.Parse(Output).RootElement;

    public static Task<ToolRun> OfAsync(params string[] arguments) => ReadingAsync("", arguments);

    /// <summary>As <see cref="OfAsync"/>, with a text on standard input.</summary>
    public static async Task<ToolRun> ReadingAsync(string input, params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var exitCode = await MeshTool.RunAsync(arguments, new ToolConsole(output, error, input: new StringReader(input)), CancellationToken.None);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>As <see cref="OfAsync"/>, with these variables and no others, until it ends or is cancelled.</summary>
    public static async Task<ToolRun> WithAsync(IReadOnlyDictionary<string, string> environment, string[] arguments, CancellationToken cancellationToken = default, Func<ConsoleKey?>? readKey = null, int height = 24)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var console = new ToolConsole(output, error) { Environment = name => environment.GetValueOrDefault(name), ReadKey = readKey, Height = () => height };
        var exitCode = await MeshTool.RunAsync(arguments, console, cancellationToken);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }

    /// <summary>As on a terminal with colours.</summary>
    public static async Task<ToolRun> InColourAsync(params string[] arguments)
    {
        var output = new StringWriter();
        var error = new StringWriter();
        var exitCode = await MeshTool.RunAsync(arguments, new ToolConsole(output, error, colourOutput: true, colourError: true), CancellationToken.None);
        return new ToolRun(exitCode, output.ToString(), error.ToString());
    }
}
