using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Mesh.Resources.Diagnostics;
using Mesh.Resources.Tests.Support;
using Mesh.Resources.Watching;
using Mesh.Testing;

namespace Mesh.Resources.Tests.Watching;

/// <summary>Over real directories: with the system's clock where events are meant, with a manual one where polling is.</summary>
public sealed class ManifestWatcherTests : IDisposable
{
    private static readonly TimeSpan _deadline = TimeSpan.FromSeconds(10);

    private readonly TempDirectory _directory = new();
    private readonly BlockingCollection<LoadResult> _results = [];

    public ManifestWatcherTests() => _directory.CopyFrom(Cases.Quickstart, "m");

    private string Root => Path.Combine(_directory.Path, "m");

    public void Dispose()
    {
        _directory.Dispose();
        _results.Dispose();
    }

    [Fact]
    public void Watch_Edit_HandsOverTheNextVersionWithinASecond()
    {
        using var watcher = Watch();
        Assert.Equal(1, watcher.Last.Config!.Version);
        var start = TimeProvider.System.GetTimestamp();
        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 120");
        var result = Next();
        Assert.Equal(TimeSpan.FromSeconds(120), result.Config!.Pools[0].Timeout);
        Assert.Equal(2, result.Config.Version);

        // The bound is a second; events are lost on some file systems, and then the poll adds its two.
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(4));
    }

    [Fact]
    public void Watch_BrokenEdit_KeepsTheLastGoodAndComesBackWithoutANewVersion()
    {
        using var watcher = Watch();
        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 0");
        var broken = Next();
        Assert.Null(broken.Config);
        Assert.Equal(DiagnosticCodes.OutOfRange, Assert.Single(broken.Diagnostics, d => d.Severity == Severity.Error).Code);
        Assert.Equal(1, watcher.LastGood!.Config!.Version);

        Edit("gke-west/backend-policy.yaml", "timeoutSec: 0", "timeoutSec: 100");
        var back = Next();
        Assert.Equal(1, back.Config!.Version);

        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 90");
        Assert.Equal(2, Next().Config!.Version);
    }

    [Fact]
    public void Watch_AtomicRename_IsSeen()
    {
        using var watcher = Watch();
        var file = Path.Combine(Root, "gke-west", "backend-policy.yaml");
        var draft = _directory.Write(
            "draft", File.ReadAllText(file).Replace("timeoutSec: 100", "timeoutSec: 77", StringComparison.Ordinal));
        File.Move(draft, file, overwrite: true);
        Assert.Equal(TimeSpan.FromSeconds(77), Next().Config!.Pools[0].Timeout);
    }

    [Fact]
    public void Watch_ConfigMapSwap_IsSeen()
    {
        // A config map's mount: files are links through ..data, which is a link that is replaced as a whole.
        var cluster = Path.Combine(Root, "gke-west");
        Directory.Move(cluster, Path.Combine(_directory.Path, "source"));
        Directory.CreateDirectory(cluster);
        Mount(cluster, "..2026_01", "timeoutSec: 100");
        foreach (var file in Directory.EnumerateFiles(Path.Combine(cluster, "..2026_01")).Select(f => Path.GetFileName(f)!))
            File.CreateSymbolicLink(Path.Combine(cluster, file), Path.Combine("..data", file));

        using var watcher = Watch();
        Assert.Equal(TimeSpan.FromSeconds(100), watcher.Last.Config!.Pools[0].Timeout);
        Mount(cluster, "..2026_02", "timeoutSec: 55");
        Directory.Delete(Path.Combine(cluster, "..2026_01"), recursive: true);
        Assert.Equal(TimeSpan.FromSeconds(55), Next().Config!.Pools[0].Timeout);
    }

    [Fact]
    public void Watch_DeletedFile_TakesItsObjectsAway()
    {
        using var watcher = Watch();
        File.Delete(Path.Combine(Root, "gke-west", "backend-policy.yaml"));
        Assert.Equal(TimeSpan.FromSeconds(30), Next().Config!.Pools[0].Timeout);
    }

    [Fact]
    public void Watch_DirectoryReplaced_IsReportedAndSeenAgain()
    {
        using var watcher = Watch();
        Directory.Move(Root, Path.Combine(_directory.Path, "away"));
        Assert.Equal(DiagnosticCodes.DirectoryMissing, Assert.Single(Next().Diagnostics).Code);
        Assert.NotNull(watcher.LastGood);
        _directory.CopyFrom(Cases.Quickstart, "m");
        Assert.False(Next().HasErrors);
        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 44");
        Assert.Equal(TimeSpan.FromSeconds(44), Next().Config!.Pools[0].Timeout);
    }

    [Fact]
    public void Poll_EditWithoutEvents_CountsOnceItHasSettled()
    {
        var time = new ManualTimeProvider();
        using var watcher = Watch(time);
        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 120");
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Empty(_results);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Empty(_results);
        time.Advance(TimeSpan.FromMilliseconds(150));
        Assert.Equal(2, Assert.Single(_results).Config!.Version);
    }

    [Fact]
    public void Poll_FileStillBeingWritten_IsNotTaken()
    {
        var time = new ManualTimeProvider();
        using var watcher = Watch(time);
        var pods = File.ReadAllText(Path.Combine(Root, "gke-west", "pods.yaml"));
        var half = pods[..pods.LastIndexOf("---", StringComparison.Ordinal)];
        File.WriteAllText(Path.Combine(Root, "gke-west", "pods.yaml"), half + "---\napiVersion: v1\nkin");
        time.Advance(TimeSpan.FromSeconds(2));
        File.WriteAllText(Path.Combine(Root, "gke-west", "pods.yaml"), pods.Replace("127.1.0.4", "127.1.0.5", StringComparison.Ordinal));
        time.Advance(TimeSpan.FromMilliseconds(150));
        Assert.Empty(_results);
        time.Advance(TimeSpan.FromMilliseconds(150));
        Assert.Equal("127.1.0.5:8000", Assert.Single(_results).Config!.Pools[0].Backends[1].Endpoints[3].Id.Address);
    }

    [Fact]
    public void Poll_EditThatChangesNothing_IsNotHandedOver()
    {
        var time = new ManualTimeProvider();
        using var watcher = Watch(time);
        Edit("gke-east/pods.yaml", "# The model servers", "# Model servers");
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(_results);
    }

    [Fact]
    public void Dispose_ThenEdit_HandsNothingOver()
    {
        var time = new ManualTimeProvider();
        var watcher = Watch(time);
        watcher.Dispose();
        Edit("gke-west/backend-policy.yaml", "timeoutSec: 100", "timeoutSec: 120");
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.Empty(_results);
    }

    /// <summary>Replaces a link in one step, as a kubelet does; the library cannot rename a link to a directory.</summary>
    private static void Link(string path, string target)
    {
        File.CreateSymbolicLink(path + "_tmp", target);
        Assert.Equal(0, Rename(path + "_tmp", path));
    }

    [DllImport("libc", EntryPoint = "rename", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int Rename(string from, string to);

    private void Mount(string cluster, string folder, string timeout)
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(_directory.Path, "source")))
            _directory.Write(
                Path.Combine("m", "gke-west", folder, Path.GetFileName(file)),
                File.ReadAllText(file).Replace("timeoutSec: 100", timeout, StringComparison.Ordinal));
        Link(Path.Combine(cluster, "..data"), folder);
    }

    private ManifestWatcher Watch(ManualTimeProvider? time = null) =>
        ManifestWatcher.Start(Root, _results.Add, time, time is null ? null : new ManifestWatcherOptions { UseEvents = false });

    private LoadResult Next()
    {
        Assert.True(_results.TryTake(out var result, _deadline), "No result came within the deadline.");
        return result;
    }

    private void Edit(string file, string from, string to)
    {
        var path = Path.Combine(Root, file);
        var text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }
}
