using System.Collections.Immutable;
using Mesh.Resources.Reading;

namespace Mesh.Resources.Diagnostics;

/// <summary>Collects the findings of one load. Not thread-safe.</summary>
internal sealed class DiagnosticBag
{
    private readonly List<Diagnostic> _items = [];

    public bool HasErrors { get; private set; }

    public int Count => _items.Count;

    public void Error(Spot at, string code, string message, string? hint = null) => Add(Severity.Error, at, code, message, hint);

    public void Warning(Spot at, string code, string message, string? hint = null) => Add(Severity.Warning, at, code, message, hint);

    public void Info(Spot at, string code, string message, string? hint = null) => Add(Severity.Info, at, code, message, hint);

    /// <summary>First error at or below a place, in the order of reporting; null when there is none.</summary>
    public Diagnostic? FirstErrorUnder(Spot root) => _items.Find(d =>
        d.Severity == Severity.Error && d.File == root.File && d.Document == root.Document && IsUnder(d.Path, root.Path));

    /// <summary>All findings in the order of the files.</summary>
    public ImmutableArray<Diagnostic> Sorted() =>
    [
        .. _items
            .Distinct()
            .OrderBy(d => d.File, StringComparer.Ordinal)
            .ThenBy(d => d.Line)
            .ThenBy(d => d.Column)
            .ThenBy(d => d.Severity)
            .ThenBy(d => d.Code, StringComparer.Ordinal)
            .ThenBy(d => d.Path, StringComparer.Ordinal)
            .ThenBy(d => d.Message, StringComparer.Ordinal),
    ];

    private void Add(Severity severity, Spot at, string code, string message, string? hint)
    {
        HasErrors |= severity == Severity.Error;
        _items.Add(new Diagnostic(severity, at.File, at.Document, at.Path, at.Line, at.Column, code, message, hint));
    }

    private static bool IsUnder(string path, string root) =>
        root.Length == 0 || path == root || path.StartsWith(root + ".", StringComparison.Ordinal)
            || path.StartsWith(root + "[", StringComparison.Ordinal);
}
