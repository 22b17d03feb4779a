using Mesh.Core.Config;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Hosting;

namespace Mesh.Regions.Tests.Configuration;

public sealed class FederationPlanTests
{
    [Fact]
    public void Listener_BeyondLoopbackWithoutSecret_IsRefusedLoudly()
    {
        var options = Options(listen: "0.0.0.0:9100");
        Assert.Contains("anybody could pass for a peer", Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Listener(options)).Message, StringComparison.Ordinal);
        options.Federation.Token = "a-secret-of-some-length";
        Assert.Equal(9100, FederationPlan.Listener(options).Port);
    }

    [Fact]
    public void Listener_LoopbackWithoutSecret_IsAllowed() => Assert.Equal(9100, FederationPlan.Listener(Options()).Port);

    [Theory]
    [InlineData(null, "Mesh:Federation:Listen")]
    [InlineData("nonsense", "nonsense")]
    public void Listener_NoUsableAddress_SaysSo(string? listen, string says) =>
        Assert.Contains(says, Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Listener(Options(listen))).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("", "is required")]
    [InlineData("ftp://x:1", "expected http://host:port")]
    [InlineData("http://x:1/path", "expected http://host:port")]
    [InlineData("https://x:1", "Mesh:Federation:Authority")]
    public void Settings_UrlOfNoUse_SaysWhy(string url, string says)
    {
        var options = Options();
        options.Peers["b"].Url = url;
        Assert.Contains(says, Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Settings(options, "")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Peers_OfProfiles_AreThoseOfOtherRegionsThatTheOptionsDoNotName()
    {
        var peers = FederationPlan.Peers(Options(),
        [
            Cluster("a-1", "a", "http://own:1"), Cluster("b-1", "b", "http://other:1"), Cluster("c-2", "c", "http://c:2,http://c:1", "sea"), Cluster("c-1", "c", "http://c:1", "sea"),
            Cluster("d-1", "d", ""),
        ]);
        Assert.Equal(["b", "sea"], peers.Select(p => p.Name));
        Assert.Equal("http://127.0.0.1:1/", peers[0].Urls[0].ToString());
        Assert.Equal(("c", "http://c:1/ http://c:2/"), (peers[1].Region, string.Join(' ', peers[1].Urls)));
    }

    [Fact]
    public void Peers_OfProfilesWithUselessAddress_SaysWhichCluster()
    {
        var e = Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Peers(Options(), [Cluster("c-1", "c", "https://c:1")]));
        Assert.Contains("cluster c-1", e.Message, StringComparison.Ordinal);
        Assert.Contains("Mesh:Federation:Authority", e.Message, StringComparison.Ordinal);
    }

    private static ClusterConfig Cluster(string name, string region, string url, string gateway = "") =>
        new() { Name = name, Region = region, Zone = "", GatewayUrl = url, GatewayName = gateway };

    [Fact]
    public void Settings_NoRegion_SaysSo()
    {
        var options = Options();
        options.Region = null;
        Assert.Contains("--region", Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Settings(options, "")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_PeerSwitches_BecomePeers()
    {
        var options = CommandLine.Read(["--region", "a", "--peer", "b=http://127.0.0.1:1", "--peer=c=http://127.0.0.1:2,http://127.0.0.1:3", "--peers-at", "127.0.0.1:9"]);
        var settings = FederationPlan.Settings(options, "");
        Assert.Equal(["b", "c"], settings.Peers.Select(p => p.Name));
        Assert.Equal(2, settings.Peers[1].Urls.Length);
        Assert.Contains("NAME=URL", Assert.Throws<GatewayConfigurationException>(() => CommandLine.Read(["--peer", "x"])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Secret_TooShort_IsRefusedWithoutBeingShown()
    {
        var e = Assert.Throws<GatewayConfigurationException>(() => FederationPlan.Secret("Mesh:Federation:Token", "hush"));
        Assert.DoesNotContain("hush", e.Message, StringComparison.Ordinal);
    }

    private static GatewayOptions Options(string? listen = "127.0.0.1:9100") => new()
    {
        Region = "a",
        Peers = { ["b"] = new PeerOptions { Url = "http://127.0.0.1:1" } },
        Federation = new FederationOptions { Listen = listen },
    };
}
