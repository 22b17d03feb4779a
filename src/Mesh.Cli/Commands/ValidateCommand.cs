using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;

namespace Mesh.Cli.Commands;

/// <summary><c>mesh validate DIR</c>: everything that is wrong with the manifests of a directory, at once.</summary>
internal static class ValidateCommand
{
    public static Command Create(ToolConsole console)
    {
        var directory = new Argument<string>("DIR") { Description = "Directory with one folder of manifests for each cluster." };
        var output = OutputOption.Create();
        var command = new Command("validate", "Report every error and warning of a directory of manifests.") { directory, output };
        command.SetAction(arguments => Run(console, arguments.GetRequiredValue(directory), OutputOption.Read(arguments, output)));
        return command;
    }

    private static int Run(ToolConsole console, string directory, OutputFormat format)
    {
        var result = ManifestLoader.Load(directory);
        if (format == OutputFormat.Json) JsonText.Write(console, Answer.Of(directory, result));
        else WriteText(console, directory, result);
        return result.HasErrors ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static void WriteText(ToolConsole console, string directory, LoadResult result)
    {
        Findings.Write(console, directory, result.Diagnostics);
        if (!result.Diagnostics.IsEmpty) console.WriteLine();
        console.Write($"{directory}: ");
        console.Write(result.HasErrors ? "refused" : "valid", result.HasErrors ? Palette.Error : Palette.Hint);
        console.Write($", {Findings.Summary(result.Diagnostics)}");
        if (result.Config is { } config)
        {
            console.Write($"; {Findings.Count(config.Clusters.Length, "cluster")}, {Findings.Count(config.Pools.Length, "pool")}");
            console.Write($", {Findings.Count(config.Routes.Length, "route")}");
        }

        console.WriteLine();
    }

    /// <summary>The answer in JSON.</summary>
    private sealed record Answer(string Directory, bool Valid, int Errors, int Warnings, int Notes, IReadOnlyList<Diagnostic> Diagnostics)
    {
        public static Answer Of(string directory, LoadResult result)
        {
            int Number(Severity severity) => result.Diagnostics.Count(d => d.Severity == severity);
            return new Answer(
                directory, !result.HasErrors, Number(Severity.Error), Number(Severity.Warning), Number(Severity.Info), result.Diagnostics);
        }
    }
}
