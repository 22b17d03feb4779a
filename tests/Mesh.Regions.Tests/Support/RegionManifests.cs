using System.Globalization;
using Mesh.Gateway.Hosting;

namespace Mesh.Regions.Tests.Support;

/// <summary>The demo's manifests in a directory of their own, with model servers at addresses of their own.</summary>
internal sealed class RegionManifests : IDisposable
{
    private static int _next;

    /// <param name="network">First three parts of a loopback network for the model servers of each region, with the last dot; null takes one that is free.</param>
    public RegionManifests(string? network = null)
    {
        var source = QuickStart.Find(System.IO.Path.Combine("deploy", "examples", "regions")) ?? throw new InvalidOperationException("deploy/examples/regions is not there");
        Path = Directory.CreateTempSubdirectory("mesh-regions-").FullName;
        var n = Interlocked.Increment(ref _next);
        foreach (var file in Directory.GetFiles(source, "*.yaml", SearchOption.AllDirectories))
        {
            var target = System.IO.Path.Combine(Path, System.IO.Path.GetRelativePath(source, file));
            Directory.CreateDirectory(System.IO.Path.GetDirectoryName(target)!);
            var text = File.ReadAllText(file);
            for (var region = 0; region < Regions.Length; region++)
            {
                var own = Networks[region] = network ?? string.Create(CultureInfo.InvariantCulture, $"127.{130 + (Environment.ProcessId % 50)}.{((n * 3) + region) % 250}.");
                text = text.Replace($"127.1{region + 1}.0.", own, StringComparison.Ordinal);
            }

            File.WriteAllText(target, text);
        }
    }

    /// <summary>The three regions; the first has the config cluster.</summary>
    public static string[] Regions { get; } = ["europe-west3", "us-east4", "asia-northeast1"];

    public string Path { get; }

    /// <summary>First three parts of the model servers' addresses in each region, with the last dot.</summary>
    public string[] Networks { get; } = new string[3];

    /// <summary>Writes a file of a cluster of a region, in the place of one that is there.</summary>
    public void Write(int region, string cluster, string file, string text)
    {
        var path = System.IO.Path.Combine(Path, Regions[region], cluster, file);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        File.WriteAllText(path + ".new", text);
        File.Move(path + ".new", path, overwrite: true);
    }

    /// <summary>A file of a cluster of a region.</summary>
    public string Read(int region, string cluster, string file) => File.ReadAllText(System.IO.Path.Combine(Path, Regions[region], cluster, file));

    /// <summary>Changes one file of the config cluster.</summary>
    public void Edit(string file, string old, string @new)
    {
        var path = System.IO.Path.Combine(Path, Regions[0], "gke-europe", file);
        var text = File.ReadAllText(path);
        Assert.Contains(old, text, StringComparison.Ordinal);
        File.WriteAllText(path + ".new", text.Replace(old, @new, StringComparison.Ordinal));
        File.Move(path + ".new", path, overwrite: true);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
