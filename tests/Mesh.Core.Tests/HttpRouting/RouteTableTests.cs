using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.HttpRouting;

namespace Mesh.Core.Tests.HttpRouting;

public sealed class RouteTableTests
{
    private static readonly GatewayConfig Gateway = new() { Namespace = "default", Name = "gw", Listeners = [new ListenerConfig("http", ListenerProtocol.Http, 80, null)] };

    private static PoolId Pool(string name) => new("default", name);

    private static HttpRouteConfig Route(string name, HttpRouteMatch? match = null, params string[] hosts) => new()
    {
        Namespace = "default",
        Name = name,
        Parents = [new ParentRefConfig("default", "gw", null, null)],
        Hostnames = [.. hosts],
        Rules = [new HttpRouteRule { Matches = match is null ? [] : [match], BackendRefs = [new BackendRefConfig(Pool(name))] }],
    };

    private static RouteTable Table(params HttpRouteConfig[] routes) => Table(null, routes);

    private static RouteTable Table(string? listenerHost, HttpRouteConfig[] routes) =>
        RouteTable.Compile(new MeshConfig { Gateways = [Gateway], Routes = [.. routes] }, Gateway, Gateway.Listeners[0] with { Hostname = listenerHost });

    private static string? Find(RouteTable table, string path = "/", string host = "h", string method = "POST", string? headers = null, string? query = null) =>
        table.Match(new TestHead(method, host, path, headers, query))?.RouteName["default/".Length..];

    [Theory]
    [InlineData("/v1", "/v1", true)]
    [InlineData("/v1", "/v1/", true)]
    [InlineData("/v1", "/v1/models", true)]
    [InlineData("/v1", "/v1beta", false)]
    [InlineData("/v1", "/V1", false)]
    [InlineData("/v1", "/", false)]
    [InlineData("/v1/", "/v1", true)]
    [InlineData("/v1/", "/v1/models", true)]
    [InlineData("/", "/anything", true)]
    [InlineData("/", "/", true)]
    public void Match_Prefix_ByWholeElements(string prefix, string path, bool matches) =>
        Assert.Equal(matches ? "a" : null, Find(Table(Route("a", new HttpRouteMatch { Path = prefix })), path));

    [Theory]
    [InlineData("/v1/completions", "/v1/completions", true)]
    [InlineData("/v1/completions", "/v1/completions/", false)]
    public void Match_Exact_IsTheVeryPath(string exact, string path, bool matches) =>
        Assert.Equal(matches ? "a" : null, Find(Table(Route("a", new HttpRouteMatch { PathType = PathMatchType.Exact, Path = exact })), path));

    [Theory]
    [InlineData("/v[0-9]+/.*", "/v12/x", true)]
    [InlineData("/v[0-9]", "/v1/x", false)]
    [InlineData("v1", "/v1", false)]
    [InlineData("/a|/b", "/b", true)]
    [InlineData("/a|/b", "/bc", false)]
    public void Match_Pattern_TakesTheWholePath(string pattern, string path, bool matches) =>
        Assert.Equal(matches ? "a" : null, Find(Table(Route("a", new HttpRouteMatch { PathType = PathMatchType.RegularExpression, Path = pattern })), path));

    [Fact]
    public void Compile_PatternThatNeedsBacktracking_NamesTheRoute()
    {
        var e = Assert.Throws<ArgumentException>(() => Table(Route("bad", new HttpRouteMatch { PathType = PathMatchType.RegularExpression, Path = "(?=x)" })));
        Assert.Contains("HTTPRoute default/bad, rule 0", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("h", "h", true)]
    [InlineData("H.Example.com", "h.example.COM:8080", true)]
    [InlineData("h.example.com", "h.example.com.", true)]
    [InlineData("*.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "example.com", false)]
    [InlineData("*.example.com", "aexample.com", false)]
    [InlineData("h.example.com", "other.example.com", false)]
    [InlineData("[::1]", "[::1]:80", true)]
    public void Match_Host(string hostname, string host, bool matches) => Assert.Equal(matches ? "a" : null, Find(Table(Route("a", null, hostname)), host: host));

    [Theory]
    [InlineData("*.example.com", "a.example.com", "a.example.com", true)]
    [InlineData("*.example.com", "a.example.org", "a.example.org", false)]
    [InlineData("a.example.com", "*.example.com", "a.example.com", true)]
    [InlineData("a.example.com", "*.example.com", "b.example.com", false)]
    [InlineData("*.example.com", "*.b.example.com", "a.b.example.com", true)]
    [InlineData("*.example.com", "*.b.example.com", "a.example.com", false)]
    [InlineData("*.b.example.com", "*.example.com", "a.b.example.com", true)]
    public void Match_ListenerAndRouteHost_Intersect(string listener, string route, string host, bool matches) =>
        Assert.Equal(matches ? "a" : null, Find(Table(listener, [Route("a", null, route)]), host: host));

    [Fact]
    public void Match_Precedence_HostnameFirst()
    {
        var exactPath = new HttpRouteMatch { PathType = PathMatchType.Exact, Path = "/v1/x" };
        var table = Table(Route("any", exactPath), Route("wild", exactPath, "*.example.com"), Route("longwild", null, "*.a.example.com"), Route("name", null, "x.a.example.com"));
        Assert.Equal("name", Find(table, "/v1/x", "x.a.example.com"));
        Assert.Equal("longwild", Find(table, "/v1/x", "y.a.example.com"));
        Assert.Equal("wild", Find(table, "/v1/x", "y.example.com"));
        Assert.Equal("any", Find(table, "/v1/x", "example.org"));
        Assert.Null(Find(table, "/v1/y", "example.org"));
    }

    [Fact]
    public void Match_Precedence_PathThenMethodThenHeadersThenQuery()
    {
        NamedMatch h1 = new("a", "1"), h2 = new("b", "2");
        var table = Table(
            Route("pattern", new HttpRouteMatch { PathType = PathMatchType.RegularExpression, Path = "/v1/.*", Method = "POST", Headers = [h1, h2] }),
            Route("short", new HttpRouteMatch { Path = "/v1" }),
            Route("long", new HttpRouteMatch { Path = "/v1/chat" }),
            Route("longquery", new HttpRouteMatch { Path = "/v1/chat", QueryParams = [h1] }),
            Route("longheader", new HttpRouteMatch { Path = "/v1/chat", Headers = [h1] }),
            Route("longheaders", new HttpRouteMatch { Path = "/v1/chat", Headers = [h1, h2] }),
            Route("longmethod", new HttpRouteMatch { Path = "/v1/chat", Method = "PUT" }),
            Route("exact", new HttpRouteMatch { PathType = PathMatchType.Exact, Path = "/v1/chat/completions" }));
        Assert.Equal("exact", Find(table, "/v1/chat/completions", headers: "a=1;b=2"));
        Assert.Equal("longmethod", Find(table, "/v1/chat/x", method: "PUT", headers: "a=1;b=2"));
        Assert.Equal("longheaders", Find(table, "/v1/chat/x", headers: "a=1;b=2", query: "a=1"));
        Assert.Equal("longheader", Find(table, "/v1/chat/x", headers: "a=1", query: "a=1"));
        Assert.Equal("longquery", Find(table, "/v1/chat/x", query: "a=1"));
        Assert.Equal("long", Find(table, "/v1/chat/x"));
        Assert.Equal("short", Find(table, "/v1/x", headers: "a=1;b=2"));
        Assert.Null(Find(table, "/"));
    }

    [Fact]
    public void Match_Ties_OlderRouteThenEarlierRule()
    {
        var older = Route("older");
        var twoRules = older with
        {
            Name = "two",
            Rules = [new HttpRouteRule { BackendRefs = [new BackendRefConfig(Pool("first"))] }, new HttpRouteRule { BackendRefs = [new BackendRefConfig(Pool("second"))] }],
        };
        Assert.Equal("older", Find(Table(older, twoRules)));
        Assert.Equal(0, Table(twoRules, older).Match(new TestHead("GET", "h", "/", null, null))!.RuleIndex);
    }

    [Fact]
    public void Match_HeaderNamesTwice_OnlyTheFirstCounts()
    {
        var table = Table(Route("a", new HttpRouteMatch { Headers = [new NamedMatch("X-A", "1"), new NamedMatch("x-a", "2")] }));
        Assert.Equal("a", Find(table, headers: "x-a=1"));
        Assert.Null(Find(table, headers: "x-a=2"));
    }

    [Fact]
    public void Match_ModelName_IsAHeader()
    {
        var table = Table(
            Route("llama", new HttpRouteMatch { Headers = [new NamedMatch("X-Gateway-Model-Name", "meta-llama/.*", true)] }),
            Route("rest"));
        Assert.Equal("llama", Find(table, headers: $"{PseudoHeaders.ModelName}=meta-llama/Llama-3.1-8B-Instruct"));
        Assert.Equal("rest", Find(table, headers: $"{PseudoHeaders.ModelName}=food-review-1"));
    }

    [Fact]
    public void Compile_ParentRefs_SelectListenerByNameAndPort()
    {
        var listener = Gateway.Listeners[0];
        string? Attached(ParentRefConfig parent)
        {
            var route = Route("a") with { Parents = [parent] };
            return Find(RouteTable.Compile(new MeshConfig { Routes = [route] }, Gateway, listener));
        }

        Assert.Equal("a", Attached(new ParentRefConfig("default", "gw", "http", 80)));
        Assert.Null(Attached(new ParentRefConfig("default", "gw", "other", null)));
        Assert.Null(Attached(new ParentRefConfig("default", "gw", null, 81)));
        Assert.Null(Attached(new ParentRefConfig("other", "gw", null, null)));
        Assert.Null(Attached(new ParentRefConfig("default", "gw2", null, null)));
    }

    [Fact]
    public void Choose_Weights_AreProportionalAndRepeatable()
    {
        var route = Route("a") with
        {
            Rules = [new HttpRouteRule { BackendRefs = [new BackendRefConfig(Pool("p1"), 1), new BackendRefConfig(Pool("p0"), 0), new BackendRefConfig(Pool("p3"), 3)] }],
        };
        var table = Table(route);
        Assert.Equal([Pool("p1"), Pool("p3")], table.Pools.ToArray());
        var target = table.Match(new TestHead("GET", "h", "/", null, null))!;
        Assert.Equal(Pool("p1"), target.Choose(0)!.Pool);
        Assert.Equal(Pool("p1"), target.Choose((1UL << 62) - 1)!.Pool);
        Assert.Equal(Pool("p3"), target.Choose(1UL << 62)!.Pool);
        Assert.Equal(Pool("p3"), target.Choose(ulong.MaxValue)!.Pool);

        int Count(ulong seed)
        {
            var draw = new RequestDraw(seed);
            return Enumerable.Range(0, 10_000).Count(_ => target.Choose(draw.Next())!.Pool == Pool("p1"));
        }

        Assert.InRange(Enumerable.Range(1, 16).Sum(seed => Count((ulong)seed)), 39_400, 40_600);
        Assert.Equal(Count(7), Count(7));
    }

    [Fact]
    public void Choose_NoWeight_IsNull()
    {
        var route = Route("a") with { Rules = [new HttpRouteRule { BackendRefs = [new BackendRefConfig(Pool("p0"), 0)] }] };
        var table = Table(route);
        Assert.Null(table.Match(new TestHead("GET", "h", "/", null, null))!.Choose(5));
        Assert.Empty(table.Pools);
    }

    private readonly struct TestHead(string method, string host, string path, string? headers, string? query) : IRequestHead
    {
        private readonly ImmutableDictionary<string, string> _headers = Parse(headers).WithComparers(StringComparer.OrdinalIgnoreCase);
        private readonly ImmutableDictionary<string, string> _query = Parse(query);

        public string Method => method;

        public string Host => host;

        public string Path => path;

        public string? GetHeader(string name) => _headers.GetValueOrDefault(name);

        public string? GetQuery(string name) => _query.GetValueOrDefault(name);

        private static ImmutableDictionary<string, string> Parse(string? text) =>
            text is null ? ImmutableDictionary<string, string>.Empty : text.Split(';').Select(p => p.Split('=', 2)).ToImmutableDictionary(p => p[0], p => p[1]);
    }
}
