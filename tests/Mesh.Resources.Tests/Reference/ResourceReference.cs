using System.Text;
using System.Text.RegularExpressions;
using Mesh.Resources.Types;

namespace Mesh.Resources.Tests.Reference;

/// <summary>The reference of all kinds in Markdown.</summary>
internal static partial class ResourceReference
{
    /// <summary>Makes the page.</summary>
    /// <param name="types">Folder with the kinds' sources, whose summaries say what each is.</param>
    public static string Render(string types)
    {
        var page = new StringBuilder();
        page.Append("# Resources\n\n");
        page.Append("Every kind that the mesh reads, every field that it takes, and which values. Made by asking the readers themselves; a test fails when this file is stale and says how to make it anew.\n\n");
        page.Append("Fields that only appear beside others may be missing here, and second names that are accepted for the vendor's sake are left out: [migration](migration.md) has them. What fields mean:\n");
        page.Append("[concepts](concepts.md), [tuning](tuning.md) and [src/Mesh.Resources](../Mesh.Resources/README.md). Unknown fields are errors, but in core kinds.\n\n");
        foreach (var kind in Kinds.All) page.Append($"- [{kind.Name}](#{kind.Name.ToLowerInvariant()})\n");
        foreach (var kind in Kinds.All.OrderBy(k => k.Name, StringComparer.Ordinal)) Append(page, kind, types);
        return page.ToString();
    }

    private static void Append(StringBuilder page, KindDefinition kind, string types)
    {
        page.Append($"\n## {kind.Name}\n\n{SummaryOf(kind, types)}\n\n");
        page.Append($"`apiVersion`: {string.Join(", ", kind.ApiVersions.Select(v => $"`{v}`"))}. ");
        page.Append(kind.ConfigClusterOnly ? "Counts in the config cluster alone.\n\n" : kind.IsCore ? "A core kind: fields that do not concern the mesh are accepted and passed over.\n\n" : "Counts in every cluster.\n\n");
        page.Append("| field | takes | required |\n|---|---|---|\n");
        foreach (var (path, type, required) in new FieldProbe(kind).Fields()) page.Append($"| `{path.Replace("[0]", "[]", StringComparison.Ordinal)}` | {type} | {(required ? "yes" : "")} |\n");
    }

    private static string SummaryOf(KindDefinition kind, string types)
    {
        // One kind a file, of its name.
        var file = Directory.EnumerateFiles(types, "*.cs").Single(f => Path.GetFileNameWithoutExtension(f).Equals(kind.Name, StringComparison.OrdinalIgnoreCase));
        var match = Summary().Match(File.ReadAllText(file));
        return match.Success
            ? Tag().Replace(string.Join(' ', match.Groups[1].Value.Split('\n').Select(l => l.Trim().TrimStart('/').Trim())).Trim(), "`$1`")
            : throw new InvalidOperationException($"{file} has no summary of its kind.");
    }

    [GeneratedRegex(@"/// <summary>(.*?)</summary>\s*internal sealed record", RegexOptions.Singleline)]
    private static partial Regex Summary();

    [GeneratedRegex("<(?:c|see cref=\")>?([^<\"]+)(?:</c>|\"/>)")]
    private static partial Regex Tag();
}
