using System.CommandLine;
using System.Reflection;
using System.Runtime.InteropServices;
using Mesh.Cli.Output;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh version</c>: version and source revision of the tool, and the runtime that it runs on.</summary>
internal static class VersionCommand
{
    public static Command Create(ToolConsole console)
    {
        var output = OutputOption.Create();
        var command = new Command("version", "Show the version of this tool.") { output };
        command.SetAction(arguments => Run(console, OutputOption.Read(arguments, output)));
        return command;
    }

    private static int Run(ToolConsole console, OutputFormat format)
    {
        var text = typeof(VersionCommand).Assembly
            .GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
        var plus = text.IndexOf('+', StringComparison.Ordinal);
        var answer = new Answer(
            plus < 0 ? text : text[..plus], plus < 0 ? null : text[(plus + 1)..], RuntimeInformation.FrameworkDescription);
        if (format == OutputFormat.Json) JsonText.Write(console, answer);
        else console.WriteLine($"mesh {answer.Version}{(answer.Revision is null ? "" : $" ({answer.Revision})")}, {answer.Runtime}");
        return ExitCodes.Done;
    }

    /// <summary>The answer in JSON.</summary>
    private sealed record Answer(string Version, string? Revision, string Runtime);
}
