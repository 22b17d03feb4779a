using System.Globalization;
using Mesh.Resources.Diagnostics;

namespace Mesh.Cli.Output;

/// <summary>
/// Findings for people: the place as editors and terminals take it, then the message, then where in the document and what to write.
/// </summary>
internal static class Findings
{
    /// <summary>Writes findings in their order.</summary>
    /// <param name="console">Where to.</param>
    /// <param name="directory">Manifest directory that the findings' files are relative to, as the user named it.</param>
    /// <param name="findings">What was found.</param>
    /// <param name="indent">Blanks before each line.</param>
    public static void Write(ToolConsole console, string directory, IEnumerable<Diagnostic> findings, int indent = 0)
    {
        var margin = new string(' ', indent);
        foreach (var finding in findings)
        {
            console.Write(margin + PathOf(directory, finding), Palette.Heading);
            console.Write(": ");
            console.Write(Word(finding.Severity), Palette.Of(finding.Severity));
            console.Write($": {finding.Message} ");
            console.WriteLine($"[{finding.Code}]", Palette.Dim);
            if (finding.Path.Length > 0)
            {
                var document = finding.Document > 1 ? string.Create(CultureInfo.InvariantCulture, $" of document {finding.Document}") : "";
                console.WriteLine($"{margin}    at {finding.Path}{document}", Palette.Dim);
            }

            if (finding.Hint is null) continue;
            console.Write($"{margin}    hint", Palette.Hint);
            console.WriteLine($": {finding.Hint}");
        }
    }

    /// <summary>For example <c>2 errors, 1 warning</c>; notes are named where there are some.</summary>
    public static string Summary(IReadOnlyCollection<Diagnostic> findings)
    {
        var errors = findings.Count(d => d.Severity == Severity.Error);
        var warnings = findings.Count(d => d.Severity == Severity.Warning);
        var notes = findings.Count(d => d.Severity == Severity.Info);
        return $"{Count(errors, "error")}, {Count(warnings, "warning")}{(notes == 0 ? "" : ", " + Count(notes, "note"))}";
    }

    /// <summary>A number with its noun, in the plural where it is not 1.</summary>
    public static string Count(int number, string noun) =>
        string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    public static string Word(Severity severity) => severity switch
    {
        Severity.Error => "error",
        Severity.Warning => "warning",
        _ => "note",
    };

    private static string PathOf(string directory, Diagnostic finding)
    {
        var path = Path.Combine(directory, finding.File);
        if (finding.Line > 0) return string.Create(CultureInfo.InvariantCulture, $"{path}:{finding.Line}:{finding.Column}");

        // What concerns the directory as a whole carries its name alone.
        return Path.Exists(path) ? path : directory;
    }
}
