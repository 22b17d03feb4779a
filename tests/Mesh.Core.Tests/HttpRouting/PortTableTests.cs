using Mesh.Core.Config;
using Mesh.Core.HttpRouting;

namespace Mesh.Core.Tests.HttpRouting;

public sealed class PortTableTests
{
    private static GatewayConfig Gateway(string name, params ListenerConfig[] listeners) => new() { Namespace = "default", Name = name, Listeners = [.. listeners] };

    private static ListenerConfig Listener(string name, int port, string? host = null, ListenerProtocol protocol = ListenerProtocol.Http) => new(name, protocol, port, host);

    private static HttpRouteConfig Route(string pool, string gateway, string? section, string path = "/") => new()
    {
        Namespace = "default",
        Name = $"to-{pool}",
        Parents = [new ParentRefConfig("default", gateway, section, null)],
        Rules = [new HttpRouteRule { Matches = [new HttpRouteMatch { Path = path }], BackendRefs = [new BackendRefConfig(new PoolId("default", pool))] }],
    };

    private static string? Find(PortTable table, string host, string path = "/") => table.Match(new Head(host, path))?.Backends[0].Pool.Name;

    [Fact]
    public void Match_MostSpecificListenerOnly()
    {
        var config = new MeshConfig
        {
            Gateways = [Gateway("gw", Listener("any", 80), Listener("wild", 80, "*.example.com"), Listener("name", 80, "a.example.com"))],
            Routes = [Route("any", "gw", "any"), Route("wild", "gw", "wild"), Route("name", "gw", "name", "/v1")],
        };
        var table = Assert.Single(PortTable.CompileAll(config, "r1"));
        Assert.Equal("any", Find(table, "x.org"));
        Assert.Equal("wild", Find(table, "b.example.com"));
        Assert.Equal("name", Find(table, "a.example.com", "/v1"));
        // The listener for this very name has no route here; the broader ones are not asked.
        Assert.Null(Find(table, "a.example.com", "/v2"));
    }

    [Fact]
    public void Match_TwoGatewaysOnePort_BothAreAsked()
    {
        var config = new MeshConfig
        {
            Gateways = [Gateway("g1", Listener("http", 80)), Gateway("g2", Listener("http", 80))],
            Routes = [Route("one", "g1", null, "/one"), Route("two", "g2", null, "/two")],
        };
        var table = Assert.Single(PortTable.CompileAll(config, "r1"));
        Assert.Equal("one", Find(table, "h", "/one"));
        Assert.Equal("two", Find(table, "h", "/two"));
        Assert.Equal(["one", "two"], table.Pools.Select(p => p.Name));
    }

    [Fact]
    public void CompileAll_ByRegionPortAndProtocol()
    {
        var config = new MeshConfig
        {
            Gateways =
            [
                Gateway("here", Listener("b", 81), Listener("a", 80), Listener("tls", 443, null, ListenerProtocol.Https)) with { Regions = ["r1", "r2"] },
                Gateway("there", Listener("c", 82)) with { Regions = ["r2"] },
                Gateway("everywhere", Listener("d", 83)),
            ],
        };
        Assert.Equal([80, 81, 83, 443], PortTable.CompileAll(config, "r1").Select(t => t.Port));
        Assert.Equal([443], PortTable.CompileAll(config, "r1").Where(t => t.IsTls).Select(t => t.Port));
        Assert.Equal([80, 81, 82, 83, 443], PortTable.CompileAll(config, "r2").Select(t => t.Port));
        Assert.Equal([80, 81, 82, 83, 443], PortTable.CompileAll(config, "").Select(t => t.Port));
        Assert.Equal([83], PortTable.CompileAll(config, "r3").Select(t => t.Port));
    }

    [Fact]
    public void CompileAll_OnePortWithTwoProtocols_IsRefused()
    {
        var config = new MeshConfig { Gateways = [Gateway("g1", Listener("http", 443)), Gateway("g2", Listener("tls", 443, null, ListenerProtocol.Https))] };
        var refused = Assert.Throws<ArgumentException>(() => PortTable.CompileAll(config, ""));
        Assert.Equal("Port 443 is HTTP and HTTPS at once: Gateways default/g1 and default/g2.", refused.Message);
    }

    [Fact]
    public void CertificatesFor_AreThoseOfTheMostSpecificListener()
    {
        var config = new MeshConfig
        {
            Gateways =
            [
                Gateway(
                    "gw",
                    Listener("any", 443, null, ListenerProtocol.Https) with { Certificates = ["any"] },
                    Listener("wild", 443, "*.example.com", ListenerProtocol.Https) with { Certificates = ["wild"] },
                    Listener("name", 443, "a.example.com", ListenerProtocol.Https) with { Certificates = ["name", "spare"] }),
            ],
        };
        var table = Assert.Single(PortTable.CompileAll(config, "r1"));
        Assert.Equal(["name", "spare"], table.CertificatesFor("A.example.com").ToArray());
        Assert.Equal(["wild"], table.CertificatesFor("b.example.com").ToArray());
        Assert.Equal(["any"], table.CertificatesFor("b.org").ToArray());
        Assert.Equal(["any"], table.CertificatesFor("").ToArray());
        Assert.Equal(["name", "spare", "wild", "any"], table.Certificates.ToArray());
    }

    [Fact]
    public void CertificatesFor_NameThatNoListenerHas_IsDefault()
    {
        var config = new MeshConfig { Gateways = [Gateway("gw", Listener("name", 443, "a.example.com", ListenerProtocol.Https) with { Certificates = ["name"] })] };
        Assert.True(Assert.Single(PortTable.CompileAll(config, "r1")).CertificatesFor("b.example.com").IsDefault);
    }

    private readonly struct Head(string host, string path) : IRequestHead
    {
        public string Method => "GET";

        public string Host => host;

        public string Path => path;

        public string? GetHeader(string name) => null;

        public string? GetQuery(string name) => null;
    }
}
