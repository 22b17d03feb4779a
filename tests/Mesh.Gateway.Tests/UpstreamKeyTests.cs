using Mesh.Core.Config;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Tests.Support;
using Mesh.Testing;

namespace Mesh.Gateway.Tests;

/// <summary>Keys towards model servers, and the client's that never get there.</summary>
public sealed class UpstreamKeyTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    [Theory]
    [InlineData("default/pool", "pool-key")]
    [InlineData("c1", "cluster-key")]
    [InlineData("*", "any-key")]
    [InlineData("other", null)]
    public async Task Key_OfPoolClusterOrAll_ReachesTheModelServer_AndTheClientsNever(string name, string? expected)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o => o.UpstreamKeys[name] = expected ?? "unused");
        foreach (var path in new[] { "/v1/completions", "/v1/messages", "/tokenize" })
        {
            using var response = await gateway.PostAsync(Body, path, r =>
            {
                r.Headers.TryAddWithoutValidation("Authorization", "Bearer client");
                r.Headers.TryAddWithoutValidation("X-API-Key", "client");
                r.Headers.TryAddWithoutValidation("api-key", "client");
                r.Headers.TryAddWithoutValidation("Proxy-Authorization", "client");
                r.Headers.TryAddWithoutValidation("X-Other", "kept");
            });
            var headers = backend.Requests.Last().Headers;
            Assert.Equal(expected is null ? null : $"Bearer {expected}", headers.GetValueOrDefault("Authorization"));
            Assert.DoesNotContain("client", headers.Values);
            Assert.Equal("kept", headers["X-Other"]);
        }
    }

    [Fact]
    public void Keys_FromAFile_AreReadAgain_AndABrokenFileKeepsTheOld()
    {
        var path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, " one\n");
            var time = new ManualTimeProvider();
            using var keys = new UpstreamKeys(new Dictionary<string, string> { ["*"] = "file:" + path }, time);
            var pool = new PoolEntry(Configs.PoolOf(Configs.Pool, TimeSpan.Zero, Configs.Dead()));
            Assert.Equal("Bearer one", keys.AuthorizationFor(pool, default));
            File.WriteAllText(path, "two");
            time.Advance(TimeSpan.FromSeconds(6));
            Assert.Equal("Bearer two", keys.AuthorizationFor(pool, default));
            File.WriteAllText(path, "");
            time.Advance(TimeSpan.FromSeconds(6));
            Assert.Equal("Bearer two", keys.AuthorizationFor(pool, default));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("two words")]
    [InlineData("line\nfeed")]
    [InlineData("file:/no/such/file")]
    public void Keys_ThatCannotBeSent_AreRefusedAtTheStart(string value)
    {
        var error = Assert.Throws<GatewayConfigurationException>(() => new UpstreamKeys(new Dictionary<string, string> { ["c1"] = value }, new ManualTimeProvider()));
        Assert.Contains("Mesh:UpstreamKeys:c1", error.Message, StringComparison.Ordinal);
        if (value.Length > 0 && !value.StartsWith("file:", StringComparison.Ordinal)) Assert.DoesNotContain(value, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookie_OfTheMesh_StaysHere_OthersPass()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Configs.For(backend.Id);
        config = config with { Pools = [config.Pools[0] with { SessionAffinity = new SessionAffinityConfig { Type = SessionAffinityType.GeneratedCookie } }] };
        await using var gateway = await TestGateway.StartAsync(config);
        using var both = await gateway.PostAsync(Body, edit: r => r.Headers.Add("Cookie", "a=1; mesh-session=secret; b=2"));
        Assert.Equal("a=1; b=2", backend.Requests.Last().Headers["Cookie"]);
        using var ours = await gateway.PostAsync(Body, edit: r => r.Headers.Add("Cookie", "mesh-session=secret"));
        Assert.False(backend.Requests.Last().Headers.ContainsKey("Cookie"));
    }
}
