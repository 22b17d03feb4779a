using Mesh.Resources.Diagnostics;

namespace Mesh.Resources.Reading;

/// <summary>Reads the files of a manifest directory: one directory for each cluster, with YAML files in it.</summary>
internal static class ManifestDirectory
{
    /// <summary>All manifests. What cannot be read is reported, and the rest is still read.</summary>
    public static ManifestSnapshot Read(string directory, DiagnosticBag report)
    {
        var title = Spot.OfFile(
            Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(directory))) is { Length: > 0 } name ? name : directory);
        var clusters = new List<string>();
        var files = new List<ManifestFile>();
        try
        {
            if (!Directory.Exists(directory))
            {
                report.Error(
                    title, DiagnosticCodes.DirectoryMissing,
                    File.Exists(directory) ? $"{directory} is a file, not a directory" : $"There is no directory {directory}",
                    "name a directory with one folder of manifests for each cluster");
                return new ManifestSnapshot([], []);
            }

            foreach (var file in Visible(Directory.EnumerateFiles(directory)).Where(IsManifest))
                report.Warning(
                    Spot.OfFile(Path.GetFileName(file)), DiagnosticCodes.FileOutsideCluster,
                    "The file stands beside the clusters' directories and is not read", "move it into the directory of its cluster");
            var folders = Visible(Directory.EnumerateDirectories(directory)).ToList();
            if (folders.Count > ReadingLimits.MaxClusters)
                report.Error(title, DiagnosticCodes.Unreadable, $"There are more than {ReadingLimits.MaxClusters} clusters");
            foreach (var cluster in folders.Take(ReadingLimits.MaxClusters)) ReadCluster(cluster, clusters, files, report);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error(title, DiagnosticCodes.Unreadable, $"The directory cannot be read: {e.Message.TrimEnd('.')}");
        }

        if (files.Count == 0 && !report.HasErrors)
            report.Error(
                title, DiagnosticCodes.DirectoryEmpty, $"{directory} holds no manifests",
                "put *.yaml files into one folder for each cluster, for example gke-west/gateway.yaml");
        return new ManifestSnapshot(clusters, files);
    }

    private static void ReadCluster(string directory, List<string> clusters, List<ManifestFile> files, DiagnosticBag report)
    {
        var cluster = Path.GetFileName(directory);
        var before = files.Count;
        foreach (var file in Visible(Directory.EnumerateFiles(directory)).Where(IsManifest))
        {
            var path = $"{cluster}/{Path.GetFileName(file)}";
            if (files.Count >= ReadingLimits.MaxFiles)
            {
                report.Error(Spot.OfFile(path), DiagnosticCodes.Unreadable, $"There are more than {ReadingLimits.MaxFiles} files");
                return;
            }

            if (ReadFile(file, path, report) is { } text) files.Add(new ManifestFile(cluster, path, text));
        }

        if (files.Count > before) clusters.Add(cluster);
        foreach (var nested in Visible(Directory.EnumerateDirectories(directory)))
        {
            if (Directory.EnumerateFiles(nested).Any(IsManifest))
                report.Warning(
                    Spot.OfFile($"{cluster}/{Path.GetFileName(nested)}"), DiagnosticCodes.NestedDirectory,
                    "Directories inside a cluster's directory are not read", "move the files up");
        }
    }

    private static string? ReadFile(string file, string path, DiagnosticBag report)
    {
        try
        {
            // A link that a config map has just replaced may point nowhere for a moment; then the file does not exist.
            var info = new FileInfo(file);
            var length = info.ResolveLinkTarget(returnFinalTarget: true) is FileInfo target ? target.Length : info.Length;
            if (length <= ReadingLimits.MaxFileBytes) return File.ReadAllText(file);
            report.Error(
                Spot.OfFile(path), DiagnosticCodes.Unreadable, $"The file is larger than {ReadingLimits.MaxFileBytes / 1024 / 1024} MiB");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            report.Error(Spot.OfFile(path), DiagnosticCodes.Unreadable, $"The file cannot be read: {e.Message.TrimEnd('.')}");
        }

        return null;
    }

    /// <summary>
    /// Hidden entries are left out: editors' drafts, and the <c>..data</c> folders through which Kubernetes swaps config maps.
    /// </summary>
    private static IEnumerable<string> Visible(IEnumerable<string> entries) =>
        entries.Where(e => Path.GetFileName(e) is [not '.', ..]).Order(StringComparer.Ordinal);

    private static bool IsManifest(string file) => Path.GetExtension(file) is ".yaml" or ".yml";
}
