using System.Net;
using Mesh.Core.Config;
using Mesh.Gateway.Tests.Support;

namespace Mesh.Gateway.Tests;

public sealed class RouteFilterTests
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private static MeshConfig Config(HttpRouteFiltersConfig rule, ScriptedBackend backend, HttpRouteFiltersConfig? reference = null, string prefix = "/")
    {
        var config = Configs.For(backend.Id);
        var route = config.Routes[0] with
        {
            Rules =
            [
                new HttpRouteRule
                {
                    Matches = [new HttpRouteMatch { Path = prefix }],
                    Filters = rule,
                    BackendRefs = [new BackendRefConfig(Configs.Pool) { Filters = reference ?? HttpRouteFiltersConfig.None }],
                },
            ],
        };
        return config with { Routes = [route] };
    }

    private static HeaderEdits Edits(string? set = null, string? add = null, string? remove = null)
    {
        return new HeaderEdits(Of(set), Of(add), remove is null ? [] : [.. remove.Split(' ')]);

        static System.Collections.Immutable.ImmutableArray<HeaderValue> Of(string? pairs) =>
            pairs is null ? [] : [.. pairs.Split(' ').Select(p => new HeaderValue(p.Split('=')[0], p.Split('=')[1]))];
    }

    [Fact]
    public async Task RequestHeaders_RuleThenRef_EditWhatTheModelServerGets()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var rule = new HttpRouteFiltersConfig { RequestHeaders = Edits("Authorization=own X-A=rule Host=evil Content-Length=1", "X-B=2", "x-gone") };
        var reference = new HttpRouteFiltersConfig { RequestHeaders = Edits("x-a=ref") };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, reference));
        using var response = await gateway.PostAsync(Body, edit: r =>
        {
            r.Headers.Add("Authorization", "Bearer client");
            r.Headers.Add("X-Gone", "1");
            r.Headers.Add("X-B", "1");
            r.Headers.Add("x-gateway-inference-objective", "food");
        });
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var seen = backend.Requests.Single();
        Assert.Equal(("own", "ref", Body), (seen.Headers["Authorization"], seen.Headers["X-A"], seen.Body));
        Assert.Equal("1, 2", seen.Headers["X-B"]);
        Assert.Equal(gateway.Uri.Authority, seen.Headers["Host"]);
        Assert.False(seen.Headers.ContainsKey("X-Gone"));
        Assert.False(seen.Headers.ContainsKey("x-gateway-inference-objective"));
    }

    [Fact]
    public async Task ResponseHeaders_RuleThenRef_EditWhatTheClientGets()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}", extraHeaders: "X-Old: 1\r\nX-A: server\r\n");
        var rule = new HttpRouteFiltersConfig { ResponseHeaders = Edits("X-A=rule Content-Length=7", "X-B=1", "X-Old") };
        var reference = new HttpRouteFiltersConfig { ResponseHeaders = Edits(add: "X-B=2") };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, reference));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("{}", await response.Content.ReadAsStringAsync());
        Assert.Equal("rule", response.Headers.GetValues("X-A").Single());
        Assert.Equal(["1", "2"], response.Headers.GetValues("X-B"));
        Assert.False(response.Headers.Contains("X-Old"));
    }

    [Fact]
    public async Task UrlRewrite_PrefixAndHost_MakeAnUnknownPathReachTheModelServer()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var rule = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig("models.internal", new PathEdit(PathEditType.ReplacePrefixMatch, "/")) };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, prefix: "/team-a"));
        using var response = await gateway.PostAsync(Body, "/team-a/v1/completions?x=1");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var seen = backend.Requests.Single();
        Assert.Equal("POST /v1/completions?x=1 HTTP/1.1", seen.RequestLine);
        Assert.Equal("models.internal", seen.Headers["Host"]);
    }

    [Theory]
    [InlineData("POST", "/team-a/pause", 404)]
    [InlineData("POST", "/pause", 404)]
    [InlineData("GET", "/team-a/v1/completions", 404)]
    [InlineData("GET", "/v1/completions", 405)]
    public async Task UrlRewrite_AdministrativePaths_StayOutOfReach(string method, string path, int status)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var rule = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplacePrefixMatch, "/")) };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, prefix: "/team-a"));
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (method == "POST") request.Content = new StringContent(Body);
        using var response = await gateway.Client.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        if (status == 405) Assert.Equal(["POST"], response.Content.Headers.Allow);
        Assert.Empty(backend.Requests);
    }

    [Fact]
    public async Task UrlRewrite_FullPathOfTheRef_WinsOverTheRules()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var rule = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplaceFullPath, "/rule")) };
        var reference = new HttpRouteFiltersConfig { UrlRewrite = new UrlRewriteConfig(null, new PathEdit(PathEditType.ReplaceFullPath, "/openai/v1/completions")) };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, reference));
        using var response = await gateway.PostAsync(Body);
        Assert.Equal("POST /openai/v1/completions HTTP/1.1", backend.Requests.Single().RequestLine);
    }

    [Theory]
    [InlineData(null, null, null, null, 302, "http://{host}:{port}/v1/completions?a=%20b")]
    [InlineData("https", null, null, null, 301, "https://{host}/v1/completions?a=%20b")]
    [InlineData(null, "other.example", 8443, "/new", 308, "http://other.example:8443/new/completions?a=%20b")]
    [InlineData("https", "other.example", 443, null, 307, "https://other.example/v1/completions?a=%20b")]
    [InlineData("http", "other.example", 8080, null, 303, "http://other.example:8080/v1/completions?a=%20b")]
    public async Task Redirect_AnswersAtOnce(string? scheme, string? host, int? port, string? prefix, int status, string expected)
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var path = prefix is null ? null : new PathEdit(PathEditType.ReplacePrefixMatch, prefix);
        var rule = new HttpRouteFiltersConfig { Redirect = new RequestRedirectConfig(scheme, host, path, port, status) };
        await using var gateway = await TestGateway.StartAsync(Config(rule, backend, prefix: "/v1"));
        using var client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false }) { BaseAddress = gateway.Uri };
        expected = expected.Replace("{host}", gateway.Uri.Host, StringComparison.Ordinal).Replace("{port}", $"{gateway.Uri.Port}", StringComparison.Ordinal);
        foreach (var method in new[] { HttpMethod.Post, HttpMethod.Get })
        {
            using var request = new HttpRequestMessage(method, "/v1/completions?a=%20b");
            if (method == HttpMethod.Post) request.Content = new StringContent(Body);
            using var response = await client.SendAsync(request);
            Assert.Equal((status, expected), ((int)response.StatusCode, response.Headers.GetValues("Location").Single()));
        }

        Assert.Empty(backend.Requests);
        Assert.Empty(gateway.Engine.Requests);
    }
}
