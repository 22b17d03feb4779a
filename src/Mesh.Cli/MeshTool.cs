using System.CommandLine;
using System.CommandLine.Help;
using Mesh.Cli.Commands;
using Mesh.Cli.Output;

namespace Mesh.Cli;

/// <summary>The tool: its commands, and what holds for all of them. To add a command: a file in Commands/ and a line here.</summary>
internal static class MeshTool
{
    // After Ctrl-C a command may still write what it has.
    private static readonly TimeSpan TerminationTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Runs one command line.</summary>
    /// <param name="arguments">Arguments without the tool's name.</param>
    /// <param name="console">Where answers and problems go.</param>
    /// <param name="cancellationToken">Ends a command that is still running.</param>
    /// <returns>One of <see cref="ExitCodes"/>.</returns>
    public static async Task<int> RunAsync(string[] arguments, ToolConsole console, CancellationToken cancellationToken)
    {
        var parsed = Root(console).Parse(arguments);
        var invocation = new InvocationConfiguration
        {
            Output = console.Out, Error = console.Error, EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = TerminationTimeout,
        };
        try
        {
            // Of a line that is still being written, mistakes are no news.
            if (parsed.Errors.Count == 0 || parsed.Action is HelpAction || arguments is [['[', ..], ..]) return await parsed.InvokeAsync(invocation, cancellationToken);
            if (arguments.Length > 0)
            {
                UsageErrors.Write(parsed, console);
                return ExitCodes.Usage;
            }

            await Root(console).Parse(["--help"]).InvokeAsync(invocation, cancellationToken);
            return ExitCodes.Usage;
        }
        catch (IOException e) when (IsReaderGone(e))
        {
            // "mesh ... | head" has what it wants.
            return ExitCodes.Done;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            console.Problem(e.Message);
            return ExitCodes.Failed;
        }
    }

    private static RootCommand Root(ToolConsole console) => new("See and steer a running mesh; check, explain and compare its configuration; try it in simulation and under load.")
    {
        GetCommand.Create(console),
        DescribeCommand.Create(console),
        TopCommand.Create(console),
        DrainCommand.Create(console),
        DrainCommand.CreateUndrain(console),
        ValidateCommand.Create(console),
        ExplainCommand.Create(console),
        DiffCommand.Create(console),
        ReplayCommand.Create(console),
        PlanCommand.Create(console),
        LoadCommand.Create(console),
        KeysCommand.Create(console),
        ConfigCommand.Create(console),
        CompletionCommand.Create(console),
        VersionCommand.Create(console),
    };

    private static bool IsReaderGone(IOException e) =>
        e.Message.Contains("Broken pipe", StringComparison.OrdinalIgnoreCase) || (e.HResult & 0xFFFF) == 0x6D;
}
