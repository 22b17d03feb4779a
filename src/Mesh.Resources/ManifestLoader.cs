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

    internal static LoadResult Load(ManifestSnapshot snapshot, DiagnosticBag report, long version)
    {
        if (snapshot.Files.Count == 0) return new LoadResult { Diagnostics = report.Sorted() };
        var resources = new List<Resource>();
        foreach (var file in snapshot.Files)
        {
            var binder = new DocumentBinder(file.Cluster, report, resources);
            foreach (var document in YamlReader.Read(file.Path, file.Text, report)) binder.Bind(document);
        }

        var world = new World(snapshot.Clusters, resources);
        foreach (var rule in Rules.All) rule.Check(world, report);
        var result = new LoadResult { Diagnostics = report.Sorted(), Statuses = StatusBuilder.Build(world, report) };
        if (report.HasErrors) return result;
        var (config, effective) = ConfigCompiler.Compile(world, version);
        return result with { Config = config, Effective = effective };
    }
}
