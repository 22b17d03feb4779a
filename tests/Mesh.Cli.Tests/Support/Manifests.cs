namespace Mesh.Cli.Tests.Support;

/// <summary>A directory of manifests that is removed with the test.</summary>
internal sealed class Manifests : IDisposable
{
    private Manifests()
    {
    }

    public static string Quickstart { get; } = System.IO.Path.Combine(AppContext.BaseDirectory, "examples", "quickstart");

    /// <summary>For example <c>/tmp/mesh-cli-x</c>.</summary>
    public string Path { get; } = Directory.CreateTempSubdirectory("mesh-cli-").FullName;

    /// <summary>The input of a golden case: its own directory, or its files applied to the config cluster of the common fleet.</summary>
    public static Manifests OfGolden(string name)
    {
        var folder = System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", name);
        var whole = System.IO.Path.Combine(folder, "in");
        if (Directory.Exists(whole)) return CopyOf(whole);
        var manifests = CopyOf(System.IO.Path.Combine(AppContext.BaseDirectory, "Golden", "_fleet"));
        foreach (var file in Directory.EnumerateFiles(folder)) manifests.Write($"west/{System.IO.Path.GetFileName(file)}", File.ReadAllText(file));
        return manifests;
    }

    public static Manifests CopyOf(string source)
    {
        var manifests = new Manifests();
        foreach (var file in Directory.EnumerateFiles(source, "*", SearchOption.AllDirectories))
            manifests.Write(System.IO.Path.GetRelativePath(source, file), File.ReadAllText(file));
        return manifests;
    }

    public void Write(string relativePath, string text)
    {
        var path = System.IO.Path.Combine(Path, relativePath);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
    }

    /// <summary>Replaces a text that must be there.</summary>
    public Manifests Edit(string relativePath, string old, string now)
    {
        var text = File.ReadAllText(System.IO.Path.Combine(Path, relativePath));
        Assert.Contains(old, text, StringComparison.Ordinal);
        Write(relativePath, text.Replace(old, now, StringComparison.Ordinal));
        return this;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
