using System.Globalization;
using System.Text;

namespace Mesh.Resources.Diagnostics;

/// <summary>One finding in the manifests, with the place where it was found.</summary>
/// <param name="Severity">Error, warning or info.</param>
/// <param name="File">Path relative to the manifest directory with forward slashes, for example <c>gke-west/policy.yaml</c>;
/// the name of a directory for findings that concern the whole of it.</param>
/// <param name="Document">Index of the YAML document in the file, from 1; 0 where no document is concerned.</param>
/// <param name="Path">Path of the field, for example <c>spec.default.customMetrics[0].name</c>; empty where none is concerned.</param>
/// <param name="Line">Line from 1; 0 where none is concerned.</param>
/// <param name="Column">Column from 1; 0 where none is concerned.</param>
/// <param name="Code">Stable id of the rule in kebab case: see <see cref="DiagnosticCodes"/>.</param>
/// <param name="Message">What is wrong, without a full stop.</param>
/// <param name="Hint">What to write instead; null where the message says it.</param>
public sealed record Diagnostic(
    Severity Severity,
    string File,
    int Document,
    string Path,
    int Line,
    int Column,
    string Code,
    string Message,
    string? Hint = null)
{
    /// <summary><c>file:line:column: error code: message (document N, path); hint</c>, the parts that are not known left out.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(File);
        if (Line > 0) text.Append(CultureInfo.InvariantCulture, $":{Line}:{Column}");
        text.Append(CultureInfo.InvariantCulture, $": {Word(Severity)} {Code}: {Message}");
        if (Document > 0) text.Append(CultureInfo.InvariantCulture, $" (document {Document}{(Path.Length > 0 ? ", " + Path : "")})");
        if (Hint is not null) text.Append("; ").Append(Hint);
        return text.ToString();
    }

    private static string Word(Severity severity) => severity switch
    {
        Severity.Error => "error",
        Severity.Warning => "warning",
        _ => "info",
    };
}
