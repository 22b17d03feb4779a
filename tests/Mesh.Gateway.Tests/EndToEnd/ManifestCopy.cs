using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tests.EndToEnd;

/// <summary>The quick start's manifests in a directory of their own, at addresses of their own, so that tests can run beside anything.</summary>
internal sealed class ManifestCopy : IDisposable
{
    private static int _next;

    public ManifestCopy()
    {
        var source = QuickStart.FindManifests() ?? throw new InvalidOperationException("deploy/examples/quickstart is not there");
        var n = Interlocked.Increment(ref _next);
        Network = $"127.{190 + (Environment.ProcessId % 60)}.{(Environment.ProcessId / 60 % 8 * 32) + (n % 32)}.";
        Path = Directory.CreateTempSubdirectory("mesh-e2e-").FullName;
        foreach (var file in Directory.GetFiles(source, "*.yaml", SearchOption.AllDirectories))
        {
            var target = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            File.WriteAllText(target, Moved(File.ReadAllText(file)));
        }
    }

    public string Path { get; }

    /// <summary>First three parts of all addresses, with the last dot.</summary>
    public string Network { get; }

    /// <summary>Replaces text in one file, as an editor would: a new file moved over the old one.</summary>
    public void Edit(string file, string old, string @new)
    {
        var path = System.IO.Path.Combine(Path, file);
        var text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        Write(file, text.Replace(old, @new, StringComparison.Ordinal));
    }

    /// <summary>Writes one file at once.</summary>
    public void Write(string file, string text)
    {
        var path = System.IO.Path.Combine(Path, file);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);

    // 127.1.0.1–4 and 127.2.0.1–4 become .11–14 and .21–24 of one network.
    private string Moved(string text) => text.Replace("127.1.0.", Network + "1", StringComparison.Ordinal).Replace("127.2.0.", Network + "2", StringComparison.Ordinal);
}
