using System.Text.RegularExpressions;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Types;

namespace Mesh.Resources.Tests.Reference;

/// <summary>
/// Finds out which fields a kind has, and what each takes, by asking its reader: it is given objects with one field that nobody knows, and values that cannot be right, and its messages
/// name what it would have taken. So the reference says what the code does, and nothing else.
/// </summary>
internal sealed partial class FieldProbe(KindDefinition kind)
{
    private const string Nobody = "zzProbeField";
    private const int MaxDepth = 8;

    /// <summary>Fields, each with its path from <c>spec</c> and what it takes, in the order of their paths.</summary>
    public IReadOnlyList<(string Path, string Type, bool Required)> Fields()
    {
        var fields = new List<(string, string, bool)>();
        Look([], "", fields, 0);
        return fields;
    }

    private void Look(string[] parents, string path, List<(string Path, string Type, bool Required)> fields, int depth)
    {
        var report = Read(parents, $"{{{Nobody}: 1}}");
        var known = Known(report, path);
        foreach (var name in known.Where(n => path.Length > 0 || n is not ("apiVersion" or "kind" or "metadata" or "status")))
        {
            var at = path.Length == 0 ? name : $"{path}.{name}";
            var required = report.Exists(d => d.Code == DiagnosticCodes.RequiredField && d.Message == $"{at} is required");
            string[] inside = [.. parents, name];
            var asObject = Read(inside, $"{{{Nobody}: 1}}");
            if (depth < MaxDepth && asObject.Exists(d => d.Code == DiagnosticCodes.UnknownField && d.Message.StartsWith($"{at} has no field", StringComparison.Ordinal)))
            {
                fields.Add((at, "object", required));
                Look(inside, at, fields, depth + 1);
                continue;
            }

            if (asObject.Exists(d => d.Message.StartsWith($"{at} must be a list", StringComparison.Ordinal))) Items(inside, at, required, fields, depth);
            else fields.Add((at, TypeOf(inside, at, asObject), required));
        }
    }

    private void Items(string[] inside, string at, bool required, List<(string Path, string Type, bool Required)> fields, int depth)
    {
        string[] item = [.. inside, "[]"];
        var asObject = Read(item, $"{{{Nobody}: 1}}");
        var name = $"{at}[0]";
        var count = Read(inside, "[]").Select(d => Count().Match(d.Message)).FirstOrDefault(m => m.Success)?.Groups[1].Value;
        var many = count is null ? "" : $", {count}";
        if (depth < MaxDepth && asObject.Exists(d => d.Code == DiagnosticCodes.UnknownField && d.Message.StartsWith($"{name} has no field", StringComparison.Ordinal)))
        {
            fields.Add(($"{at}[]", $"list of objects{many}", required));
            Look(item, name, fields, depth + 1);
        }
        else
        {
            fields.Add(($"{at}[]", $"list: {TypeOf(item, name, asObject)}{many}", required));
        }
    }

    private string TypeOf(string[] inside, string at, List<Diagnostic> asObject)
    {
        var wrong = asObject.Find(d => d.Message.StartsWith($"{at} must be ", StringComparison.Ordinal) && d.Message.Contains(", but is ", StringComparison.Ordinal));
        if (wrong is null) return asObject.Exists(d => d.Message.StartsWith($"{at}.{Nobody} must be a text", StringComparison.Ordinal)) ? "map of texts" : "any";
        var type = wrong.Message[(at.Length + " must be ".Length)..wrong.Message.IndexOf(", but is ", StringComparison.Ordinal)];
        if (type is "a whole number" or "a number") return Range(inside, at, type);
        if (type != "a text") return type;
        foreach (var diagnostic in Read(inside, "zz-probe").Where(d => d.Message.StartsWith($"{at} is ", StringComparison.Ordinal)))
        {
            if (diagnostic.Message.IndexOf("must be one of ", StringComparison.Ordinal) is var words and > 0) return $"one of {diagnostic.Message[(words + "must be one of ".Length)..]}";
            if (diagnostic.Message.EndsWith("is no duration", StringComparison.Ordinal)) return "a duration, such as 1m30s";
            if (diagnostic.Message.EndsWith("is no time", StringComparison.Ordinal)) return "a time, such as 2026-01-31T12:00:00Z";
        }

        return type;
    }

    private string Range(string[] inside, string at, string type)
    {
        var message = Read(inside, type == "a number" ? "1e300" : "999999999999").Select(d => d.Message).FirstOrDefault(m => m.StartsWith($"{at} is ", StringComparison.Ordinal) && m.Contains("out of the range ", StringComparison.Ordinal));
        if (message is null) return type;
        var range = message[(message.IndexOf("out of the range ", StringComparison.Ordinal) + "out of the range ".Length)..];
        return range == $"{int.MinValue}–{int.MaxValue}" ? $"{type} of 32 bits" : $"{type}, {range}";
    }

    /// <summary>Reads an object that has nothing but one value below these fields.</summary>
    private List<Diagnostic> Read(string[] parents, string value)
    {
        var yaml = value;
        for (var i = parents.Length - 1; i >= 0; i--) yaml = parents[i] == "[]" ? $"[{yaml}]" : $"{{{parents[i]}: {yaml}}}";
        var report = new DiagnosticBag();
        var root = (YamlMapping)YamlReader.Read("probe.yaml", yaml, report).Single().Root!;
        var at = new Spot("probe.yaml", 1, "", 1, 1);
        var header = new ResourceHeader { Kind = kind, ApiVersion = kind.ApiVersions[0], Cluster = "c", Namespace = "default", Name = "probe", At = at, NameAt = at };
        var reader = new ObjectReader(root, at, report);
        reader.Ignore("apiVersion", "kind", "metadata", "status");
        kind.Read(header, reader);
        reader.Done();
        return [.. report.Sorted()];
    }

    private static IEnumerable<string> Known(List<Diagnostic> report, string path)
    {
        var where = path.Length == 0 ? "this object" : path;
        var unknown = report.Find(d => d.Code == DiagnosticCodes.UnknownField && d.Message == $"{where} has no field {Nobody}");
        return unknown?.Hint is { } hint && hint.StartsWith("known fields: ", StringComparison.Ordinal) ? hint["known fields: ".Length..].Split(", ").Order(StringComparer.Ordinal) : [];
    }

    [GeneratedRegex("has 0 items; allowed are (.+)$")]
    private static partial Regex Count();
}
