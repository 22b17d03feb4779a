namespace Mesh.Gateway.Tests.Telemetry;

/// <summary>Files of the repository, found from the tests' output upwards.</summary>
internal static class Repository
{
    public static string PathOf(params string[] parts)
    {
        for (var directory = new DirectoryInfo(AppContext.BaseDirectory); directory is not null; directory = directory.Parent)
        {
            if (File.Exists(Path.Combine(directory.FullName, "Mesh.sln"))) return Path.Combine([directory.FullName, .. parts]);
        }

        throw new DirectoryNotFoundException("Mesh.sln is in no directory above the tests.");
    }
}
