using System.Text.Json;
using Mesh.Regions.Tests.Support;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Two regions whose manifests each have the config cluster.</summary>
[Collection(AloneCollection.Name)]
public sealed class ConflictTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task TwoConfigClusters_BothRefuseLoudly_AndServeOn()
    {
        await using var group = new RegionGroup(2);
        foreach (var file in new[] { "gateway.yaml", "backend-policy.yaml", "health.yaml" })
            group.Manifests.Write(1, "gke-us", file, group.Manifests.Read(0, "gke-europe", file));
        group.Manifests.Write(1, "gke-us", "cluster.yaml", group.Manifests.Read(1, "gke-us", "cluster.yaml").Replace(
            "spec:", "  annotations:\n    mesh.internal/config-cluster: \"true\"\nspec:", StringComparison.Ordinal));
        await group.StartAsync(peers: 1);
        foreach (var region in group.All)
        {
            await Poll.UntilAsync(async () => await region.MetricAsync("mesh_federation_config_conflict") == 1, Limit, () => group.Logs);
            const string Says = "region europe-west3 says that gke-europe is the config cluster, region us-east4 says that gke-us is";
            var other = $"region {group.All[1].Name} says that gke-us is the config cluster, region {group.All[0].Name} says that gke-europe is";
            Assert.True(region.Log.Contains(Says, StringComparison.Ordinal) || region.Log.Contains(other, StringComparison.Ordinal), region.Log);
            // Requests are served by the last good configuration, so it is ready; but it says what is wrong.
            Assert.StartsWith("ready\nwarning: two config clusters:", await region.PageAsync("/readyz"), StringComparison.Ordinal);
            using var state = JsonDocument.Parse((await region.PageAsync("/api/v1/state"))!);
            Assert.StartsWith("two config clusters:", state.RootElement.GetProperty("warning").GetString(), StringComparison.Ordinal);
            await using var load = new Load(region.Listener, 1, 3);
            await Poll.UntilAsync(() => Task.FromResult(load.Requests.Any(r => r.Kind == EndKind.Answered)), Limit, () => region.Log);
        }

        // Whoever started them is gone: they end by themselves.
        Assert.True(group.All[1].EndsWithInput(Limit), group.All[1].Log);
        Assert.Contains("Stopped.", group.All[1].Log, StringComparison.Ordinal);
    }
}
