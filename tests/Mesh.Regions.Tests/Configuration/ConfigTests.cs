using System.Text;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Federation.Configuration;
using Mesh.Resources.Reading;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Regions.Tests.Configuration;

public sealed class ConfigTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-config-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void FromJson_WhatWasWritten_IsTheSame()
    {
        var bundle = Bundle(3, "kind: A\n");
        var read = ConfigBundle.FromJson(bundle.ToJson());
        Assert.Equal(bundle.Tag, read.Tag);
        Assert.Equal(bundle.Files.ToArray(), read.Files.ToArray());
    }

    [Fact]
    public void FromJson_AnyByteChangedInATextOrCutOff_IsRefused()
    {
        var json = Encoding.UTF8.GetString(Bundle(3, "kind: A\n").ToJson());
        Assert.Throws<InvalidDataException>(() => ConfigBundle.FromJson(Encoding.UTF8.GetBytes(json.Replace("kind: A", "kind: B", StringComparison.Ordinal))));
        Assert.Throws<InvalidDataException>(() => ConfigBundle.FromJson(Encoding.UTF8.GetBytes(json[..(json.Length / 2)])));
        Assert.Throws<InvalidDataException>(() => ConfigBundle.FromJson(Encoding.UTF8.GetBytes(json.Replace("a.yaml", "../a.yaml", StringComparison.Ordinal))));
    }

    [Fact]
    public void Read_AfterWrite_GivesItBackAndNothingOfABrokenFile()
    {
        var file = new ConfigFile(new FederationOptions { StateDirectory = _folder }, "eu/west", NullLogger.Instance);
        Assert.Null(file.Read());
        file.Write(Bundle(1, "kind: A\n"));
        file.Write(Bundle(2, "kind: B\n"));
        Assert.Equal(2, file.Read()!.Tag.Version);
        var path = Assert.Single(Directory.GetFiles(_folder));
        File.WriteAllText(path, File.ReadAllText(path)[..40]);
        Assert.Null(file.Read());
    }

    [Fact]
    public void Newer_RegionOfTheConfigClusterSaysAnother_IsFollowedWhateverItsVersion()
    {
        var claims = new ConfigClaims("us");
        claims.Hear("eu", new ConfigTag("gke", "eu", 2, "x"));
        Assert.Equal("eu", claims.Newer(new ConfigTag("gke", "eu", 9, "old"))?.Region);
        Assert.Null(claims.Newer(new ConfigTag("gke", "eu", 2, "x")));
    }

    [Fact]
    public void Newer_OnlyPassedOn_TakesTheHighestVersionAboveTheOwn()
    {
        var claims = new ConfigClaims("us");
        claims.Hear("asia", new ConfigTag("gke", "eu", 4, "four"));
        claims.Hear("africa", new ConfigTag("gke", "eu", 5, "five"));
        Assert.Equal("africa", claims.Newer(new ConfigTag("gke", "eu", 3, "three"))?.Region);
        Assert.Null(claims.Newer(new ConfigTag("gke", "eu", 5, "five")));
        Assert.Equal("africa", claims.Newer(ConfigTag.None)?.Region);
    }

    [Fact]
    public void Conflict_TwoRegionsClaim_NeitherIsFollowedUntilOneIsLeft()
    {
        var claims = new ConfigClaims("us");
        claims.Hear("eu", new ConfigTag("gke-eu", "eu", 2, "x"));
        claims.Hear("asia", new ConfigTag("gke-asia", "asia", 7, "y"));
        Assert.Equal("region asia says that gke-asia is the config cluster, region eu says that gke-eu is", claims.Conflict);
        Assert.Null(claims.Newer(ConfigTag.None));
        // What is only passed on is no claim.
        claims.Hear("asia", new ConfigTag("gke-eu", "eu", 2, "x"));
        Assert.Null(claims.Conflict);
        Assert.Equal("eu", claims.Newer(ConfigTag.None)?.Region);
    }

    [Fact]
    public void Conflict_OwnClaimAndAPeers_IsOne()
    {
        var claims = new ConfigClaims("us") { Own = new ConfigTag("gke-us", "us", 1, "a") };
        claims.Hear("eu", new ConfigTag("gke-us", "us", 1, "a"));
        Assert.Null(claims.Conflict);
        claims.Hear("eu", new ConfigTag("gke-eu", "eu", 1, "b"));
        Assert.NotNull(claims.Conflict);
    }

    private static ConfigBundle Bundle(long version, string text) =>
        ConfigBundle.Of("gke", "eu", version, [new ManifestText("gke", "b.yaml", "kind: C\n"), new ManifestText("gke", "a.yaml", text)]);
}
