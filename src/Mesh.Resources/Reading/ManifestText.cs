using System.Collections.Immutable;
using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>One file of manifests that does not come from the directory itself, but stands in it for whoever reads it.</summary>
/// <param name="Cluster">Cluster, as its directory would be named.</param>
/// <param name="Name">Name of the file, with its ending.</param>
/// <param name="Text">What is in it.</param>
public sealed record ManifestText(string Cluster, string Name, string Text)
{
    /// <summary>The files of one cluster's directory, ordered by name; none when it has none or cannot be read.</summary>
    /// <param name="directory">Directory with one folder for each cluster.</param>
    /// <param name="cluster">Name of the folder.</param>
    public static ImmutableArray<ManifestText> Read(string directory, string cluster)
    {
        ArgumentNullException.ThrowIfNull(directory);
        ArgumentNullException.ThrowIfNull(cluster);
        if (!Directory.Exists(Path.Combine(directory, cluster))) return [];
        var snapshot = ManifestDirectory.Read(directory, new DiagnosticBag());
        return [.. snapshot.Files.Where(f => f.Cluster == cluster).Select(f => new ManifestText(cluster, f.Path[(cluster.Length + 1)..], f.Text))];
    }

    /// <summary>What a directory holds, with clusters that come from elsewhere in the place of its own ones of that name.</summary>
    internal static ManifestSnapshot Over(ManifestSnapshot own, ImmutableArray<ManifestText> overlay)
    {
        if (overlay.IsDefaultOrEmpty) return own;
        var replaced = overlay.Select(t => t.Cluster).ToHashSet(StringComparer.Ordinal);
        var files = own.Files.Where(f => !replaced.Contains(f.Cluster)).Concat(overlay.Select(t => new ManifestFile(t.Cluster, $"{t.Cluster}/{t.Name}", t.Text)));
        return new ManifestSnapshot([.. own.Clusters.Union(replaced).Order(StringComparer.Ordinal)], [.. files.OrderBy(f => f.Path, StringComparer.Ordinal)]) { FromElsewhere = [.. replaced.Order(StringComparer.Ordinal)] };
    }
}
