using System.Net;
using Mesh.Core.Endpoints;
using Mesh.Engine;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Tls;
using Mesh.Testing.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Gateway.Tests.Tls;

public sealed class UpstreamTlsTests : IDisposable
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private readonly TestAuthority _authority = new();
    private readonly TempFolder _folder = new();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    private UpstreamTlsOptions Trusting(string? host = null, bool http2 = false) =>
        new() { Authority = _folder.Write("ca.pem", _authority.Pem), Hostname = host, Http2 = http2 };

    private static Task<TestGateway> StartAsync(EndpointId endpoint, UpstreamTlsOptions options, string name = "*", CapturingLoggers? loggers = null) =>
        TestGateway.StartAsync(Configs.For(endpoint), o => { o.UpstreamTls[name] = options; o.MaxRetries = 0; o.ConnectTimeout = TimeSpan.FromSeconds(10); }, loggers);

    [Theory]
    [InlineData("*")]
    [InlineData("c1")]
    [InlineData("default/pool")]
    public async Task Tls_ByNameOfTheRule_AsksForItsHost(string name)
    {
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"));
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal"), name);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal((HttpStatusCode.OK, "{\"ok\":1}"), (response.StatusCode, await response.Content.ReadAsStringAsync()));
        Assert.Equal(("/v1/completions", "HTTP/1.1", "model.internal", "model.internal", null), Assert.Single(backend.Requests));
    }

    [Fact]
    public async Task Tls_WithoutAHost_TheAddressIsTheName()
    {
        await using var named = await TlsBackend.StartAsync(_authority.Issue("model.internal"));
        await using var refusing = await StartAsync(named.Id, Trusting());
        using var refused = await refusing.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
        Assert.Empty(named.Requests);
    }

    [Theory]
    [InlineData(HttpProtocols.Http1AndHttp2, "HTTP/2")]
    [InlineData(HttpProtocols.Http1, "HTTP/1.1")]
    public async Task Http2_WhereTheEndpointCan(HttpProtocols protocols, string expected)
    {
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"), protocols: protocols);
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal", http2: true));
        for (var i = 0; i < 2; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.All(backend.Requests, r => Assert.Equal(expected, r.Protocol));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Stream_PassesAndItsAbortReachesTheEndpoint(bool http2)
    {
        var aborted = new TaskCompletionSource();
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"), async context =>
        {
            context.RequestAborted.Register(() => aborted.TrySetResult());
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync("data: 1\n\n");
            await context.Response.Body.FlushAsync();
            await aborted.Task;
        });
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal", http2));
        using (var response = await gateway.PostAsync(Body))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.Equal("data: 1", await reader.ReadLineAsync());
        }

        await aborted.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back", 20_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Endpoint_ThatNeverAnswersOrStalls_IsGivenUp(bool begins)
    {
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"), async context =>
        {
            if (begins)
            {
                context.Response.ContentType = "text/event-stream";
                await context.Response.WriteAsync("data: 1\n\n");
                await context.Response.Body.FlushAsync();
            }

            await Task.Delay(TimeSpan.FromMinutes(2), context.RequestAborted);
        });
        await using var gateway = await TestGateway.StartAsync(Configs.For(backend.Id), o =>
        {
            o.UpstreamTls["*"] = Trusting("model.internal");
            o.MaxRetries = 0;
            o.ConnectTimeout = TimeSpan.FromSeconds(10);
            if (begins) o.IdleTimeout = TimeSpan.FromSeconds(1);
            else o.HeadTimeout = TimeSpan.FromSeconds(2);
        });
        using var response = await gateway.PostAsync(Body);
        var text = await response.Content.ReadAsStringAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(begins ? HttpStatusCode.OK : HttpStatusCode.GatewayTimeout, response.StatusCode);
        Assert.Contains(begins ? "\"code\":\"answer_stalled\"" : "\"code\":\"timeout\"", text, StringComparison.Ordinal);
        await Eventually.TrueAsync(() => gateway.Engine.InFlight == 0, "the lease comes back", 20_000);
    }

    [Fact]
    public async Task OwnCertificate_IsShown()
    {
        var (certificate, key) = TestAuthority.Pems(_authority.Issue("gateway"));
        var options = Trusting("model.internal") with { Certificate = _folder.Write("own.crt", certificate), Key = _folder.Write("own.key", key) };
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"), clientAuthority: _authority.Certificate);
        await using var gateway = await StartAsync(backend.Id, options);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("CN=gateway", Assert.Single(backend.Requests).Client);
        await using var without = await StartAsync(backend.Id, Trusting("model.internal"));
        using var refused = await without.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
        Assert.Single(backend.Requests);
    }

    public static TheoryData<string, string> BadCertificates => new()
    {
        { "ended", "its certificate is valid from " },
        { "strange", "its certificate is of an authority that is not trusted (CN=Strange authority)" },
        { "other", "its certificate (CN=other.internal) is not for model.internal" },
    };

    [Theory]
    [MemberData(nameof(BadCertificates))]
    public async Task Certificate_NotGood_Is502AndTheLogSaysWhy(string kind, string expected)
    {
        using var strange = new TestAuthority("Strange authority");
        var certificate = kind switch
        {
            "ended" => _authority.IssueEnded("model.internal"),
            "strange" => strange.Issue("model.internal"),
            _ => _authority.Issue("other.internal"),
        };
        await using var backend = await TlsBackend.StartAsync(certificate);
        var loggers = new CapturingLoggers("Mesh.Gateway.Tls.UpstreamTls");
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal"), loggers: loggers);
        for (var i = 0; i < 3; i++)
        {
            using var response = await gateway.PostAsync(Body);
            Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        }

        var line = Assert.Single(loggers.Lines);
        Assert.StartsWith($"TLS with {backend.Id.Address[..backend.Id.Address.LastIndexOf(':')]} (Mesh:UpstreamTls:*): ", line, StringComparison.Ordinal);
        Assert.Contains(expected, line, StringComparison.Ordinal);
        Assert.Empty(backend.Requests);
        Assert.Equal(0, gateway.Engine.InFlight);
    }

    [Fact]
    public async Task ClearTextEndpoint_Is502AndTheLogSaysWhy()
    {
        // Says something that is no TLS to whoever connects.
        using var listener = new System.Net.Sockets.TcpListener(FreePorts.NextAddress());
        listener.Start();
        var answering = Task.Run(async () =>
        {
            using var socket = await listener.AcceptSocketAsync();
            await socket.SendAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray());
            await socket.ReceiveAsync(new byte[4096]);
        });
        var loggers = new CapturingLoggers("Mesh.Gateway.Tls.UpstreamTls");
        await using var gateway = await StartAsync(new EndpointId(listener.LocalEndpoint.ToString()!), Trusting("model.internal"), loggers: loggers);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, response.StatusCode);
        Assert.StartsWith("TLS with ", Assert.Single(loggers.Lines), StringComparison.Ordinal);
        await answering.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Rule_OfAnotherCluster_LeavesTheRestInClear()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal"), "another");
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Authority_Exchanged_CountsFromTheNextConnection()
    {
        using var next = new TestAuthority("Next authority");
        await using var backend = await TlsBackend.StartAsync(next.Issue("model.internal"));
        var loggers = new CapturingLoggers("Mesh.Gateway.Tls.UpstreamTls");
        await using var gateway = await StartAsync(backend.Id, Trusting("model.internal"), loggers: loggers);
        using var refused = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.BadGateway, refused.StatusCode);
        _folder.Write("ca.pem", next.Pem);
        await Eventually.TrueAsync(() => loggers.Lines.Any(l => l.Contains("count from the next connection on", StringComparison.Ordinal)), "the new authority is taken", 20_000);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Files_Wrong_StopTheStartInWords()
    {
        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(Configs.Dead(), new UpstreamTlsOptions { Authority = "/nothing.pem" }));
        Assert.StartsWith("Mesh:UpstreamTls:*:Authority: /nothing.pem cannot be read:", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(Configs.Dead(), new UpstreamTlsOptions { Authority = _folder.Write("x.pem", "x") }));
        Assert.EndsWith("has no certificate in PEM.", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(Configs.Dead(), new UpstreamTlsOptions { Certificate = "/c.crt" }));
        Assert.Equal("Mesh:UpstreamTls:*:Key is required.", refused.Message);
    }

    [Fact]
    public async Task Engine_LooksAfterEndpointsWithTls()
    {
        const string Metrics = "# TYPE vllm:num_requests_running gauge\nvllm:num_requests_running{model_name=\"m1\"} 3\n# TYPE vllm:num_requests_waiting gauge\nvllm:num_requests_waiting{model_name=\"m1\"} 0\n";
        await using var backend = await TlsBackend.StartAsync(_authority.Issue("model.internal"), context => context.Request.Path.Value switch
        {
            "/health" => Task.CompletedTask,
            "/metrics" => context.Response.WriteAsync(Metrics),
            "/v1/models" => context.Response.WriteAsync("""{"object":"list","data":[{"id":"m1","object":"model"}]}"""),
            _ => context.Response.WriteAsync("{}"),
        });
        var options = new GatewayOptions();
        options.UpstreamTls["*"] = Trusting("model.internal");
        using var tls = new UpstreamTls(options.UpstreamTls, TimeProvider.System, NullLoggerFactory.Instance);
        var config = Configs.For(backend.Id);
        tls.Follow(config);
        await using var engine = new EmbeddedEngine(GatewayProcess.EngineOptionsFor(options) with { Security = tls.SecurityOf }, TimeProvider.System, NullLoggerFactory.Instance, 1);
        engine.Reconfigure(config);
        await Eventually.TrueAsync(
            () => engine.Snapshot()[0].Backends[0].Endpoints[0] is { Health: EndpointHealth.Healthy, Models.IsDefault: false } && backend.Requests.Count(r => r.Path == "/metrics") > 2,
            "probes, models and pages of metrics come through", 20_000);
        Assert.All(backend.Requests, r => Assert.Equal("model.internal", r.ServerName));
    }
}
