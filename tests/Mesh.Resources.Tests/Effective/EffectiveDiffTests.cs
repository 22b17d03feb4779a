using Mesh.Resources.Effective;
using Mesh.Resources.Tests.Support;

namespace Mesh.Resources.Tests.Effective;

public sealed class EffectiveDiffTests
{
    [Fact]
    public void Compare_SameDirectory_IsEmpty()
    {
        var result = ManifestLoader.Load(Cases.Quickstart);
        Assert.Empty(EffectiveDiff.Compare(result.Effective, result.Effective));
    }

    [Fact]
    public void Compare_PolicyEditAndPodRemoved_NamesEachChangePerBackend()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Quickstart);
        var before = ManifestLoader.Load(directory.Path);
        var policy = Path.Combine(directory.Path, "gke-west", "backend-policy.yaml");
        File.WriteAllText(policy, "# moves every line\n" + File.ReadAllText(policy)
            .Replace("timeoutSec: 100", "timeoutSec: 120", StringComparison.Ordinal)
            .Replace("maxUtilizationPercent: 60", "maxUtilizationPercent: 50", StringComparison.Ordinal));
        var pods = Path.Combine(directory.Path, "gke-east", "pods.yaml");
        File.WriteAllText(pods, File.ReadAllText(pods)[..File.ReadAllText(pods).LastIndexOf("---", StringComparison.Ordinal)]);

        var changes = EffectiveDiff.Compare(before.Effective, ManifestLoader.Load(directory.Path).Effective);

        const string Pool = "default/vllm-llama3-8b-instruct";
        Assert.Equal(
            [
                $"{Pool} timeoutSec: 100 s → 120 s",
                $"{Pool} gke-east/us-east4-a:8000 endpoints: 4 → 3",
                $"{Pool} gke-east/us-east4-a:8000 customMetrics.kv-cache: 60% → 50%",
                $"{Pool} gke-east/us-east4-a:8000 target average of kv-cache: 60% × 100% = 0.6 → 50% × 100% = 0.5",
                $"{Pool} gke-west/europe-west3-c:8000 customMetrics.kv-cache: 60% → 50%",
                $"{Pool} gke-west/europe-west3-c:8000 target average of kv-cache: 60% × 100% = 0.6 → 50% × 100% = 0.5",
            ],
            changes.Select(c => c.ToString()));
        Assert.Equal("gke-west/backend-policy.yaml:15", $"{changes[0].Origin!.File}:{changes[0].Origin!.Line}");
    }

    [Fact]
    public void Compare_ClusterRemoved_NamesItsBackend()
    {
        using var directory = new TempDirectory();
        directory.CopyFrom(Cases.Quickstart);
        var before = ManifestLoader.Load(directory.Path);
        Directory.Delete(Path.Combine(directory.Path, "gke-east"), recursive: true);
        var change = Assert.Single(EffectiveDiff.Compare(before.Effective, ManifestLoader.Load(directory.Path).Effective));
        Assert.Equal("default/vllm-llama3-8b-instruct gke-east/us-east4-a:8000 endpoints: 4 → none", change.ToString());
    }
}
