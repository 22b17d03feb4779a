using System.CommandLine;
using Mesh.Cli.Output;
using Mesh.Resources;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Effective;

namespace Mesh.Cli.Commands;

/// <summary>
/// <c>mesh diff OLD NEW</c>: what an edit changes in effect. Lines that only move, comments and renamed policies change nothing.
/// </summary>
internal static class DiffCommand
{
    public static Command Create(ToolConsole console)
    {
        var old = new Argument<string>("OLD") { Description = "Directory of manifests as they are." };
        var now = new Argument<string>("NEW") { Description = "Directory of manifests as they shall be." };
        var exitCode = new Option<bool>("--exit-code")
        {
            Description = "Exit with 1 when something differs, and with 2 instead of 1 when a directory has errors.",
        };
        var output = OutputOption.Create();
        var command = new Command("diff", "Show what changes in effect for each cluster, gateway, route, objective, pool and backend.")
        {
            old, now, exitCode, output,
        };
        command.SetAction(arguments =>
            Run(
                console, arguments.GetRequiredValue(old), arguments.GetRequiredValue(now), arguments.GetValue(exitCode),
                OutputOption.Read(arguments, output)));
        return command;
    }

    private static int Run(ToolConsole console, string oldDirectory, string newDirectory, bool withExitCode, OutputFormat format)
    {
        var old = Manifests.Load(console, oldDirectory);
        var now = Manifests.Load(console, newDirectory);
        if (old is null || now is null) return withExitCode ? ExitCodes.Usage : ExitCodes.Failed;
        var changes = ConfigDiff.Compare(old, now);
        var findings = NewFindings(old, now);
        if (format == OutputFormat.Json)
            JsonText.Write(console, new Answer(oldDirectory, newDirectory, !changes.IsEmpty, changes, findings));
        else
            WriteText(console, newDirectory, changes, findings);
        return withExitCode && !changes.IsEmpty ? ExitCodes.Failed : ExitCodes.Done;
    }

    private static void WriteText(
        ToolConsole console, string newDirectory, IReadOnlyList<ConfigChange> changes, IReadOnlyList<Diagnostic> findings)
    {
        ChangeText.Write(console, changes);
        if (findings.Count > 0)
        {
            console.WriteLine("new findings", Palette.Heading);
            Findings.Write(console, newDirectory, findings, indent: 2);
        }

        var subjects = changes.Select(c => (c.Kind, c.Subject)).Distinct().Count();
        console.WriteLine(
            changes.Count == 0
                ? "Nothing changes in effect."
                : $"{Findings.Count(changes.Count, "change")} in {Findings.Count(subjects, "object")}.");
    }

    /// <summary>Warnings that the edit brings along. One that moved with its object to another line or file is not new.</summary>
    private static List<Diagnostic> NewFindings(LoadResult old, LoadResult now)
    {
        var known = Keyed(old).Select(f => f.Key).ToHashSet();
        return [.. Keyed(now).Where(f => !known.Contains(f.Key)).Select(f => f.Finding)];
    }

    private static IEnumerable<((string Subject, string Code, string Path) Key, Diagnostic Finding)> Keyed(LoadResult result)
    {
        var subjects = new Dictionary<Diagnostic, string>();
        foreach (var status in result.Statuses)
        {
            foreach (var finding in status.Findings)
                subjects.TryAdd(finding, $"{status.Cluster} {status.Kind} {status.Namespace}/{status.Name}");
        }

        return result.Diagnostics.Where(d => d.Severity == Severity.Warning)
            .Select(d => ((subjects.GetValueOrDefault(d, d.File), d.Code, d.Path), d));
    }

    /// <summary>The answer in JSON.</summary>
    private sealed record Answer(
        string Old, string New, bool Differs, IReadOnlyList<ConfigChange> Changes, IReadOnlyList<Diagnostic> NewFindings);
}
