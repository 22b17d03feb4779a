using Mesh.Regions.Tests.Support;
using Xunit.Abstractions;

namespace Mesh.Regions.Tests.Processes;

/// <summary>Peers from the manifests' ClusterProfiles alone: who they are comes with the configuration, and changes with it while gateways run.</summary>
[Collection(AloneCollection.Name)]
public sealed class ManifestPeersTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Peers_OfTheManifests_AreAddedRenamedAndRemovedWhileGatewaysRun()
    {
        await using var group = new RegionGroup(3, namesPeers: false);
        var (home, near, far) = (group.All[0], group.All[1], group.All[2]);
        // The config cluster tells of the fleet. A region that has never heard that knows the config cluster's gateway from its own manifests.
        group.Manifests.Write(0, "gke-europe", "fleet.yaml", Profile("gke-us", near));
        group.Manifests.Write(0, "gke-europe", "cluster.yaml", Config(group, home));
        foreach (var region in new[] { 1, 2 })
            group.Manifests.Write(region, region == 1 ? "gke-us" : "gke-asia", "config-cluster.yaml", Config(group, home));
        home.Start();
        near.Start();
        await group.AreLinkedAsync(1, home, near);
        Assert.DoesNotContain("cluster-without-directory", group.Logs, StringComparison.Ordinal);

        // A third one comes: home hears of it by the edit, near from home.
        var before = TimeProvider.System.GetTimestamp();
        group.Manifests.Write(0, "gke-europe", "fleet.yaml", Profile("gke-us", near) + "---\n" + Profile("gke-asia", far));
        far.Start();
        await group.AreLinkedAsync(2, group.All);
        output.WriteLine($"a third region is linked {TimeProvider.System.GetElapsedTime(before).TotalSeconds:0.0} s after the edit, its start included");
        Assert.DoesNotContain("region-without-cluster", far.Log, StringComparison.Ordinal);

        // One is called otherwise than it calls itself: it is another peer, and the one that answers is not it.
        var connections = await LinksAsync(home, near.Name);
        group.Manifests.Write(0, "gke-europe", "fleet.yaml", Profile("gke-us", near) + "---\n" + Profile("gke-asia", far, "tokyo"));
        await Poll.UntilAsync(async () => await home.MetricAsync("mesh_peer_state", "peer=\"tokyo\"", "state=\"refused\"") == 1, Limit, () => home.Log);
        Assert.Equal(0, await home.MetricAsync("mesh_peer_state", $"peer=\"{far.Name}\""));
        // The others' links have not been touched.
        Assert.Equal(connections, await LinksAsync(home, near.Name));

        // And one leaves.
        group.Manifests.Write(0, "gke-europe", "fleet.yaml", Profile("gke-us", near));
        await Poll.UntilAsync(async () => await home.MetricAsync("mesh_peer_state", "state=\"healthy\"") == 1 && await home.MetricAsync("mesh_peer_state", "tokyo") == 0 && !(await home.PageAsync("/metrics"))!.Contains("tokyo", StringComparison.Ordinal), Limit, () => home.Log);
        await Poll.UntilAsync(async () => !(await near.PageAsync("/metrics"))!.Contains($"peer=\"{far.Name}\",state", StringComparison.Ordinal), Limit, () => near.Log);
        Assert.Equal(1, await near.MetricAsync("mesh_peer_state", $"peer=\"{home.Name}\"", "state=\"healthy\""));
    }

    private static async Task<string> LinksAsync(RegionProcess of, string peer) =>
        string.Join('\n', of.Log.Split('\n').Where(l => l.Contains($"Peer {peer} ", StringComparison.Ordinal) && l.Contains(" answers at ", StringComparison.Ordinal)))
        + $" {await of.MetricAsync("mesh_peer_state", peer, "state=\"healthy\"")}";

    private static string Config(RegionGroup group, RegionProcess home) =>
        group.Manifests.Read(0, "gke-europe", "cluster.yaml").Contains("gateway-url", StringComparison.Ordinal)
            ? group.Manifests.Read(0, "gke-europe", "cluster.yaml")
            : group.Manifests.Read(0, "gke-europe", "cluster.yaml").Replace("  annotations:\n", $"  annotations:\n    mesh.internal/gateway-url: http://{home.Peers}\n", StringComparison.Ordinal);

    private static string Profile(string cluster, RegionProcess region, string? name = null) => $"""
        apiVersion: multicluster.x-k8s.io/v1alpha1
        kind: ClusterProfile
        metadata:
          name: {cluster}
          namespace: fleet-system
          labels:
            gke.io/region: {region.Name}
            gke.io/zone: {region.Name}-a
          annotations:
            mesh.internal/gateway-url: http://{region.Peers}
            mesh.internal/gateway-name: {name ?? region.Name}
        spec:
          clusterManager:
            name: mesh

        """;
}
