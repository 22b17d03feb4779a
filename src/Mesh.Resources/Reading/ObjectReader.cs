using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>
/// Reads the fields of one YAML object and reports everything that is wrong with them: type, range, absence, repetition, and,
/// once all known fields have been asked for, the unknown ones with the nearest known name. A null value counts as absent, as in Kubernetes.
/// </summary>
internal sealed partial class ObjectReader
{
    private readonly Dictionary<string, YamlEntry> _entries = new(StringComparer.Ordinal);
    private readonly SortedSet<string> _known = new(StringComparer.Ordinal);
    private readonly HashSet<string> _hidden = new(StringComparer.Ordinal);
    private readonly List<string> _missing = [];
    private readonly bool _tolerant;

    /// <param name="node">The object.</param>
    /// <param name="at">Its place.</param>
    /// <param name="report">Where findings go.</param>
    /// <param name="tolerant">Unknown fields are accepted here and below, as for core kinds.</param>
    public ObjectReader(YamlMapping node, Spot at, DiagnosticBag report, bool tolerant = false)
    {
        _tolerant = tolerant;
        At = at;
        Report = report;
        foreach (var entry in node.Entries)
        {
            if (_entries.TryAdd(entry.Key.Text, entry)) continue;
            report.Error(
                SpotOf(entry), DiagnosticCodes.DuplicateKey, $"{entry.Key.Text} is written twice, first in line {_entries[entry.Key.Text].Key.Line}",
                "keep one of them");
        }
    }

    /// <summary>Where the object stands.</summary>
    public Spot At { get; }

    public DiagnosticBag Report { get; }

    public bool Has(string name) => Find(name) is not null;

    /// <summary>Place of a field: of its key where it is present, else of the object.</summary>
    public Spot SpotOf(string name) => _entries.TryGetValue(name, out var entry) ? SpotOf(entry) : At with { Path = Join(At.Path, name) };

    /// <summary>Fields that are known but not read.</summary>
    public void Ignore(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) _known.Add(name);
    }

    /// <summary>Fields that are accepted, but that no message should recommend: second names and common slips.</summary>
    public void Hide(params ReadOnlySpan<string> names)
    {
        foreach (var name in names) _hidden.Add(name);
    }

    /// <summary>Reports the required fields that are missing and the fields that nobody asked for. To be called once, after the last field was read.</summary>
    public void Done()
    {
        // A misspelt field is one mistake, not two: it is reported as unknown, and not also as missing.
        var misspelt = _tolerant
            ? []
            : _entries.Keys.Where(k => !_known.Contains(k)).Select(k => NearestName.Of(k, Recommended)).ToHashSet();
        foreach (var name in _missing.Where(n => !misspelt.Contains(n)))
            Report.Error(SpotOf(name), DiagnosticCodes.RequiredField, $"{Join(At.Path, name)} is required");
        if (_tolerant) return;
        foreach (var entry in _entries.Values.OrderBy(e => e.Key.Line).ThenBy(e => e.Key.Column))
        {
            var name = entry.Key.Text;
            if (_known.Contains(name)) continue;
            var where = At.Path.Length == 0 ? "this object" : At.Path;
            Report.Error(SpotOf(entry), DiagnosticCodes.UnknownField, $"{where} has no field {name}", HintFor(name));
        }
    }

    private IEnumerable<string> Recommended => _known.Where(k => !_hidden.Contains(k));

    private string? HintFor(string name) => NearestName.Of(name, Recommended) is { } nearest
        ? $"did you mean {nearest}?"
        : !Recommended.Any() ? "remove it: nothing may stand here"
        : $"known fields: {string.Join(", ", Recommended)}";

    private YamlEntry? Find(string name)
    {
        _known.Add(name);
        return _entries.TryGetValue(name, out var entry) && entry.Value is not YamlScalar { IsNull: true } ? entry : null;
    }

    private YamlEntry? Find(string name, bool required)
    {
        var entry = Find(name);
        if (entry is null && required) _missing.Add(name);
        return entry;
    }

    private Spot SpotOf(YamlEntry entry) =>
        At with { Path = Join(At.Path, entry.Key.Text), Line = entry.Key.Line, Column = entry.Key.Column };

    private void WrongType(Spot at, string expected, YamlNode found, string? hint = null) =>
        Report.Error(at, DiagnosticCodes.WrongType, $"{at.Path} must be {expected}, but is {found.Describe()}", hint);

    private static string Join(string path, string name)
    {
        // A key with a dot or slash, such as a label's, is quoted so that the path stays readable.
        var part = name.AsSpan().IndexOfAny('.', '/') >= 0 ? $"[\"{name}\"]" : name;
        return path.Length == 0 || part[0] == '[' ? path + part : $"{path}.{part}";
    }
}
