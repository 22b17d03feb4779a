using System.Collections.Immutable;

namespace Mesh.Resources.Reading;

/// <summary>One file of a cluster's directory.</summary>
/// <param name="Cluster">Name of the cluster: that of the directory.</param>
/// <param name="Path">Path relative to the manifest directory, with forward slashes.</param>
/// <param name="Text">Its content.</param>
internal sealed record ManifestFile(string Cluster, string Path, string Text);

/// <summary>What a manifest directory holds at one moment.</summary>
/// <param name="Clusters">Names of its cluster directories, sorted.</param>
/// <param name="Files">Their files, sorted by path.</param>
internal sealed record ManifestSnapshot(IReadOnlyList<string> Clusters, IReadOnlyList<ManifestFile> Files)
{
    /// <summary>Those of the clusters that the directory itself does not have, or whose files it would have otherwise.</summary>
    public ImmutableArray<string> FromElsewhere { get; init; } = [];
}
