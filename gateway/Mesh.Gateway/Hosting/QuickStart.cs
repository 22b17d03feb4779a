namespace Mesh.Gateway.Hosting;

/// <summary>What the process runs when nobody told it anything.</summary>
internal static class QuickStart
{
    private static readonly string Manifests = Path.Combine("deploy", "examples", "quickstart");

    // From the build's output up to the repository's root, with room to spare.
    private const int MaxLevels = 10;

    /// <summary>The quick start's manifests, looked for from the working directory and from the program's upwards; null when they are not there.</summary>
    public static string? FindManifests() => Find(Manifests);

    /// <summary>A directory of the repository, looked for in the same way; null when it is not there.</summary>
    public static string? Find(string directory) => FindFrom(Directory.GetCurrentDirectory(), directory) ?? FindFrom(AppContext.BaseDirectory, directory);

    private static string? FindFrom(string start, string wanted)
    {
        var directory = new DirectoryInfo(start);
        for (var level = 0; level < MaxLevels && directory is not null; level++, directory = directory.Parent)
        {
            var candidate = Path.Combine(directory.FullName, wanted);
            if (Directory.Exists(candidate)) return candidate;
        }

        return null;
    }
}
