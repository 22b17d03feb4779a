using System.Runtime.CompilerServices;

namespace Mesh.Resources.Tests.Support;

/// <summary>A directory that is removed with the test.</summary>
internal sealed class TempDirectory : IDisposable
{
    public TempDirectory() => Path = Directory.CreateTempSubdirectory("mesh-resources-").FullName;

    public string Path { get; }

    /// <summary>Folder of the tests' sources, for rewriting expectations.</summary>
    public static string SourceFolder([CallerFilePath] string file = "") =>
        System.IO.Path.GetFullPath(System.IO.Path.Combine(System.IO.Path.GetDirectoryName(file)!, ".."));

    public string Write(string relativePath, string text)
    {
        var path = System.IO.Path.Combine(Path, relativePath);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public void CopyFrom(string source, string into = "")
    {
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            Write(System.IO.Path.Combine(into, System.IO.Path.GetRelativePath(source, file)), File.ReadAllText(file));
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
