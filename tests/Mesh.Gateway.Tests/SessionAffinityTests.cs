using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.Affinity;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class SessionAffinityTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private static MeshConfig Config(SessionAffinityConfig affinity, params ScriptedBackend[] backends)
    {
        var config = Configs.For([.. backends.Select(b => b.Id)]);
        return config with { Pools = [config.Pools[0] with { SessionAffinity = affinity }] };
    }

    private static string[] SetCookies(HttpResponseMessage response) => response.Headers.TryGetValues("Set-Cookie", out var all) ? [.. all] : [];

    private static string PairOf(string cookie) => cookie.Split(';')[0];

    [Fact]
    public async Task None_HasNoKeyAndNoCookie()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(backend);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((0UL, null), (gateway.Engine.Requests.Single().AffinityKey, gateway.Engine.Requests.Single().AffinityEndpoint.Address));
        Assert.Empty(SetCookies(response));
    }

    [Fact]
    public async Task ClientIp_SameClient_HasTheSameKey()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(new SessionAffinityConfig { Type = SessionAffinityType.ClientIp }, backend));
        using var first = await gateway.PostAsync(Body);
        using var other = Clients.Create(gateway.Uri);
        using var second = await other.PostAsync("/v1/completions", new StringContent(Body));
        var keys = gateway.Engine.Requests.Select(r => r.AffinityKey).ToArray();
        Assert.Equal(2, keys.Length);
        Assert.NotEqual(0UL, keys[0]);
        Assert.Equal(keys[0], keys[1]);
        Assert.Empty(SetCookies(first));
    }

    [Fact]
    public async Task HeaderField_ByValue_AndNothingWithoutIt()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var affinity = new SessionAffinityConfig { Type = SessionAffinityType.HeaderField, HeaderName = "X-Session" };
        await using var gateway = await TestGateway.StartAsync(Config(affinity, backend));
        foreach (var value in new[] { "a", "a", "b", null })
        {
            using var response = await gateway.PostAsync(Body, edit: r =>
            {
                if (value is not null) r.Headers.Add("x-session", value);
            });
        }

        var keys = gateway.Engine.Requests.Select(r => r.AffinityKey).ToArray();
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[0], keys[2]);
        Assert.Equal(0UL, keys[3]);
    }

    [Theory]
    [InlineData(SessionAffinityType.GeneratedCookie, null, "mesh-session")]
    [InlineData(SessionAffinityType.HttpCookie, "chat", "chat")]
    public async Task Cookie_IsMadeOnceAndKeepsItsKey(SessionAffinityType type, string? configured, string name)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: "Set-Cookie: own=1\r\n");
        var affinity = new SessionAffinityConfig { Type = type, CookieName = configured, CookiePath = "/v1", CookieTtl = TimeSpan.FromHours(1) };
        await using var gateway = await TestGateway.StartAsync(Config(affinity, backend));
        using var first = await gateway.PostAsync(Body);
        var cookies = SetCookies(first);
        Assert.Equal("own=1", cookies[0]);
        Assert.StartsWith($"{name}=", cookies[1], StringComparison.Ordinal);
        Assert.EndsWith("; Path=/v1; Max-Age=3600; HttpOnly", cookies[1], StringComparison.Ordinal);
        using var second = await gateway.PostAsync(Body, edit: r => r.Headers.Add("Cookie", $"a=b; {PairOf(cookies[1])}; x{name}=no"));
        Assert.Equal(["own=1"], SetCookies(second));
        using var stranger = await gateway.PostAsync(Body);
        var keys = gateway.Engine.Requests.Select(r => r.AffinityKey).ToArray();
        Assert.NotEqual(0UL, keys[0]);
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[0], keys[2]);
    }

    [Fact]
    public async Task StrongCookie_NamesTheEndpoint_AndMovesWithIt()
    {
        await using var a = ScriptedBackend.Answering(200, "{}");
        await using var b = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(new SessionAffinityConfig { Type = SessionAffinityType.StrongCookie }, a, b));
        using var first = await gateway.PostAsync(Body);
        var cookie = SetCookies(first).Single();
        Assert.EndsWith("; Path=/; HttpOnly", cookie, StringComparison.Ordinal);
        using var second = await gateway.PostAsync(Body, edit: r => r.Headers.Add("Cookie", PairOf(cookie)));
        var named = gateway.Engine.Requests.Last().AffinityEndpoint;
        Assert.Equal(first.Headers.GetValues("x-gateway-destination-endpoint-served").Single(), named.Address);
        // The fake engine goes by turns, so this answer came from the other endpoint.
        Assert.NotEqual(PairOf(cookie), PairOf(SetCookies(second).Single()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("!!!")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task StrongCookie_Nonsense_IsNoEndpoint(string value)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await TestGateway.StartAsync(Config(new SessionAffinityConfig { Type = SessionAffinityType.StrongCookie }, backend));
        using var response = await gateway.PostAsync(Body, edit: r => r.Headers.Add("Cookie", $"{SessionOf.DefaultCookie}={value}"));
        Assert.Null(gateway.Engine.Requests.Single().AffinityEndpoint.Address);
        Assert.Equal(new EndpointId(backend.Address.ToString()).Address, response.Headers.GetValues("x-gateway-destination-endpoint-served").Single());
        Assert.Single(SetCookies(response));
    }
}
