using Mesh.Resources;
using Mesh.Resources.Diagnostics;

namespace Mesh.Cli.Output;

/// <summary>Loads a directory for a command that needs a configuration without errors.</summary>
internal static class Manifests
{
    /// <summary>The configuration; null when there are errors, which have then been told of.</summary>
    public static LoadResult? Load(ToolConsole console, string directory)
    {
        var result = ManifestLoader.Load(directory);
        if (!result.HasErrors) return result;
        var errors = result.Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        Findings.Write(console.ForProblems(), directory, errors);
        console.Problem(
            $"{directory} has {Findings.Count(errors.Count, "error")}",
            $"correct what is listed; mesh validate {directory} shows warnings too");
        return null;
    }
}
