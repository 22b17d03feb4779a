using System.Collections.Immutable;
using System.Text;
using System.Text.RegularExpressions;
using Mesh.Resources.Reading;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>
/// Leaves out what of a cluster's manifests is nobody else's business: its pods and their addresses. They change all the time, other regions
/// never send there by themselves, and clusters may well give out the same addresses.
/// </summary>
internal static partial class WorkloadFilter
{
    /// <summary>The files without such documents; files of nothing else are left out.</summary>
    public static ImmutableArray<ManifestText> Apply(ImmutableArray<ManifestText> files)
    {
        var kept = ImmutableArray.CreateBuilder<ManifestText>(files.Length);
        foreach (var file in files)
        {
            var text = Without(file.Text);
            if (text.Length > 0) kept.Add(file with { Text = text });
        }

        return kept.ToImmutable();
    }

    /// <summary>Such documents alone, in files named after those that they come from.</summary>
    public static ImmutableArray<ManifestText> Only(ImmutableArray<ManifestText> files)
    {
        var kept = ImmutableArray.CreateBuilder<ManifestText>(files.Length);
        foreach (var file in files)
        {
            if (Part(file.Text, workloads: true) is { Length: > 0 } text) kept.Add(file with { Name = $"workloads-{file.Name}", Text = text });
        }

        return kept.ToImmutable();
    }

    private static string Without(string text) => Workload().IsMatch(text) ? Part(text, workloads: false) : text;

    private static string Part(string text, bool workloads)
    {
        var kept = new StringBuilder();
        foreach (var document in Separator().Split(text))
        {
            if (Workload().IsMatch(document) != workloads || string.IsNullOrWhiteSpace(document)) continue;
            if (kept.Length > 0) kept.Append("---\n");
            kept.Append(document);
        }

        return kept.ToString();
    }

    [GeneratedRegex("^---.*\n?", RegexOptions.Multiline)]
    private static partial Regex Separator();

    // A kind of the document itself stands at the start of its line.
    [GeneratedRegex("""^["']?kind["']?:[ \t]*["']?(Pod|EndpointSlice|PodList|EndpointSliceList)["']?[ \t]*(#.*)?\r?$""", RegexOptions.Multiline)]
    private static partial Regex Workload();
}
