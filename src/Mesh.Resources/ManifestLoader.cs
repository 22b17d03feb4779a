using System.Collections.Immutable;
using Mesh.Resources.Compiling;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Reading;
using Mesh.Resources.Status;
using Mesh.Resources.Types;
using Mesh.Resources.Validation;

namespace Mesh.Resources;

/// <summary>Reads a directory of manifests, one folder for each cluster, into a configuration. Thread-safe: it keeps nothing.</summary>
public static class ManifestLoader
{
    /// <summary>
    /// Reads, checks and compiles everything, reporting all findings at once. Never throws for what is in the directory.
    /// </summary>
    /// <param name="directory">Directory with one folder for each cluster.</param>
    /// <param name="version">Version that the configuration gets.</param>
    public static LoadResult Load(string directory, long version = 1)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var report = new DiagnosticBag();
        return Load(ManifestDirectory.Read(directory, report), report, version);
    }

    /// <summary>As <see cref="Load(string, long)"/>, with clusters that come from elsewhere in the place of the directory's own ones of that name.</summary>
    /// <param name="directory">Directory with one folder for each cluster.</param>
    /// <param name="overlay">Files of those clusters.</param>
    /// <param name="version">Version that the configuration gets.</param>
    public static LoadResult Load(string directory, ImmutableArray<ManifestText> overlay, long version = 1)
    {
        ArgumentNullException.ThrowIfNull(directory);
        var report = new DiagnosticBag();
        return Load(ManifestText.Over(ManifestDirectory.Read(directory, report), overlay), report, version);
    }

    internal static LoadResult Load(ManifestSnapshot snapshot, DiagnosticBag report, long version, ImmutableArray<string> peerRegions = default)
    {
        if (snapshot.Files.Count == 0) return new LoadResult { Diagnostics = report.Sorted() };
        var resources = new List<Resource>();
        foreach (var file in snapshot.Files)
        {
            var binder = new DocumentBinder(file.Cluster, report, resources);
            foreach (var document in YamlReader.Read(file.Path, file.Text, report)) binder.Bind(document);
        }

        if (!snapshot.FromElsewhere.IsEmpty) DropOwnProfiles(resources, snapshot.FromElsewhere);
        var world = new World(snapshot.Clusters, resources, peerRegions);
        foreach (var rule in Rules.All) rule.Check(world, report);
        var result = new LoadResult { Clusters = [.. world.Fleet.Values], Diagnostics = report.Sorted(), Statuses = StatusBuilder.Build(world, report) };
        if (report.HasErrors) return result;
        var (config, effective) = ConfigCompiler.Compile(world, version);
        return result with { Config = config, Effective = effective };
    }

    /// <summary>
    /// What the config cluster says of the fleet holds; a region's own profiles are what it starts from before it has heard that.
    /// </summary>
    private static void DropOwnProfiles(List<Resource> resources, ImmutableArray<string> fromElsewhere)
    {
        var declared = resources.OfType<ClusterProfile>().Where(p => fromElsewhere.Contains(p.Header.Cluster)).Select(p => p.Name).ToHashSet(StringComparer.Ordinal);
        resources.RemoveAll(r => r is ClusterProfile && !fromElsewhere.Contains(r.Header.Cluster) && declared.Contains(r.Header.Name));
    }
}
