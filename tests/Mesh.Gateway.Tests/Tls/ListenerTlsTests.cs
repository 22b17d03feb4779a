using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Core.Config;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tests.Support;
using Mesh.Gateway.Tls;
using Mesh.Testing.Net;

namespace Mesh.Gateway.Tests.Tls;

public sealed class ListenerTlsTests : IDisposable
{
    private const string Body = """{"model":"m1","prompt":"hi"}""";

    private readonly TestAuthority _authority = new();
    private readonly TempFolder _folder = new();
    private readonly IPEndPoint _address = FreePorts.NextAddress();

    public void Dispose()
    {
        _authority.Dispose();
        _folder.Dispose();
    }

    private static MeshConfig Config(ScriptedBackend backend, params ListenerConfig[] listeners) => Configs.For(backend.Id) with
    {
        Gateways = [new GatewayConfig { Namespace = "default", Name = "gw", Listeners = [.. listeners] }],
    };

    private static ListenerConfig Listener(string name, string? host, params string[] certificates) =>
        new(name, ListenerProtocol.Https, 443, host) { Certificates = [.. certificates] };

    private CertificateOptions Files(string name, X509Certificate2 certificate)
    {
        var (text, key) = TestAuthority.Pems(certificate);
        return new CertificateOptions { Certificate = _folder.Write($"{name}.crt", text), Key = _folder.Write($"{name}.key", key) };
    }

    private Task<TestGateway> StartAsync(MeshConfig config, Action<GatewayOptions> set, CapturingLoggers? loggers = null) => TestGateway.StartAsync(config, o =>
    {
        o.Listeners.Clear();
        o.Listeners["443"] = _address.ToString();
        set(o);
    }, loggers);

    private HttpClient Client(string host, Version? version = null, X509Certificate2? own = null, X509Certificate2? authority = null) => new(new SocketsHttpHandler
    {
        UseProxy = false,
        ConnectCallback = async (_, cancellationToken) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(_address, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        },
        SslOptions = new SslClientAuthenticationOptions
        {
            CertificateChainPolicy = CertificateStore.TrustOf([authority ?? _authority.Certificate]),
            ClientCertificates = own is null ? null : [own],
        },
    })
    {
        BaseAddress = new Uri($"https://{host}"),
        DefaultRequestVersion = version ?? HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        Timeout = TimeSpan.FromSeconds(30),
    };

    private static Task<HttpResponseMessage> PostAsync(HttpClient client, Action<HttpRequestMessage>? edit = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/completions")
        {
            Content = new StringContent(Body, Encoding.UTF8, "application/json"), Version = client.DefaultRequestVersion, VersionPolicy = client.DefaultVersionPolicy,
        };
        edit?.Invoke(request);
        return client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task Https_ServesBothVersions(int version)
    {
        await using var backend = ScriptedBackend.Answering(200, "{\"ok\":1}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")));
        Assert.Equal($"https://{_address}", Assert.Single(gateway.Host.Bindings).Url);
        using var client = Client("a.example.com", new Version(version, version == 2 ? 0 : 1));
        using var response = await PostAsync(client);
        Assert.Equal((HttpStatusCode.OK, version), (response.StatusCode, response.Version.Major));
        Assert.Equal("{\"ok\":1}", await response.Content.ReadAsStringAsync());
        Assert.Equal("POST /v1/completions HTTP/1.1", Assert.Single(backend.Requests).RequestLine);
    }

    [Fact]
    public async Task Http2_StreamAndAbort_PassThrough()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")));
        using var client = Client("a.example.com", HttpVersion.Version20);
        using (var response = await PostAsync(client))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Assert.Equal("data: 1", await reader.ReadLineAsync());
        }

        await Eventually.TrueAsync(() => backend.Aborted == 1 && gateway.Engine.InFlight == 0, "the stream's end reaches the model server", 20_000);
    }

    [Fact]
    public async Task Http2_AtAStop_TheStreamEndsWithAnEvent()
    {
        await using var backend = ScriptedBackend.Start(async x =>
        {
            await x.SendStreamHeadAsync();
            await x.SendChunkAsync("data: 1\n\n");
            await x.UntilClosedAsync();
        });
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o =>
        {
            o.DrainTimeout = TimeSpan.FromMilliseconds(500);
            o.Certificates["store"] = Files("store", _authority.Issue("a.example.com"));
        });
        using var client = Client("a.example.com", HttpVersion.Version20);
        using var response = await PostAsync(client);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
        Assert.Equal("data: 1", await reader.ReadLineAsync());
        var stopping = gateway.Host.StopAsync();
        var rest = await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Contains("\"code\":\"shutting_down\"", rest, StringComparison.Ordinal);
        await stopping.WaitAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => PostAsync(client));
    }

    [Fact]
    public async Task Names_ChooseTheCertificate_AndUnknownOnesGetNone()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Config(backend, Listener("a", "a.example.com", "cert-a"), Listener("b", "*.b.example.com", "cert-b"));
        await using var gateway = await StartAsync(config, o =>
        {
            o.Certificates["cert-a"] = Files("a", _authority.Issue("a.example.com"));
            o.Certificates["cert-b"] = Files("b", _authority.Issue("*.b.example.com"));
        });
        foreach (var host in new[] { "a.example.com", "x.b.example.com" })
        {
            using var client = Client(host);
            using var response = await PostAsync(client);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        using var unknown = Client("c.example.com");
        await Assert.ThrowsAsync<HttpRequestException>(() => PostAsync(unknown));
    }

    [Fact]
    public async Task HostOfAnotherListener_OnTheConnection_Is421()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Config(backend, Listener("a", "a.example.com", "cert-a"), Listener("b", "b.example.com", "cert-b"));
        await using var gateway = await StartAsync(config, o =>
        {
            o.Certificates["cert-a"] = Files("a", _authority.Issue("a.example.com", "b.example.com"));
            o.Certificates["cert-b"] = Files("b", _authority.Issue("b.example.com"));
        });
        using var raw = new SslStream(new NetworkStream(await Clients.ConnectAsync(_address), ownsSocket: true));
        await raw.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "a.example.com", CertificateChainPolicy = CertificateStore.TrustOf([_authority.Certificate]) });
        await raw.WriteAsync(Encoding.ASCII.GetBytes($"POST /v1/completions HTTP/1.1\r\nHost: b.example.com\r\nConnection: close\r\nContent-Length: {Body.Length}\r\n\r\n{Body}"));
        using var reader = new StreamReader(raw);
        Assert.StartsWith("HTTP/1.1 421 ", await reader.ReadToEndAsync(), StringComparison.Ordinal);
        Assert.Empty(backend.Requests);
    }

    [Fact]
    public async Task ClientCertificate_Required_TurnsStrangersAway()
    {
        using var strange = new TestAuthority("Strange authority");
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")) with
        {
            ClientCertificate = ClientCertificates.Required, ClientAuthority = _folder.Write("clients.pem", _authority.Pem),
        });
        using var good = Client("a.example.com", own: _authority.Issue("client"));
        using var response = await PostAsync(good);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        foreach (var own in new[] { null, strange.Issue("client"), _authority.IssueEnded("client") })
        {
            using var refused = Client("a.example.com", own: own);
            await Assert.ThrowsAnyAsync<Exception>(() => PostAsync(refused));
        }

        Assert.Single(backend.Requests);
    }

    [Fact]
    public async Task ClientCertificate_Optional_TakesNoneButNoStranger()
    {
        using var strange = new TestAuthority("Strange authority");
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")) with
        {
            ClientCertificate = ClientCertificates.Optional, ClientAuthority = _folder.Write("clients.pem", _authority.Pem),
        });
        using var none = Client("a.example.com");
        using var response = await PostAsync(none);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        using var refused = Client("a.example.com", own: strange.Issue("client"));
        await Assert.ThrowsAnyAsync<Exception>(() => PostAsync(refused));
    }

    [Fact]
    public async Task Certificate_Exchanged_NewConnectionsSeeIt_ABrokenOneNever()
    {
        using var next = new TestAuthority("Next authority");
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Tls.CertificateStore");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")), loggers);
        _folder.Write("store.crt", "broken");
        await Eventually.TrueAsync(() => loggers.Lines.Any(l => l.Contains("stay in force", StringComparison.Ordinal)), "the broken file is refused", 20_000);
        using (var client = Client("a.example.com"))
        using (var response = await PostAsync(client)) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Files("store", next.Issue("a.example.com"));
        await Eventually.TrueAsync(() => loggers.Lines.Any(l => l.Contains("Certificates changed", StringComparison.Ordinal)), "the new one is taken", 20_000);
        using (var client = Client("a.example.com", authority: next.Certificate))
        using (var response = await PostAsync(client)) Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task Handshake_ThatDoesNotBegin_IsClosed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o =>
        {
            o.Limits.HandshakeTimeout = TimeSpan.FromSeconds(1);
            o.Certificates["store"] = Files("store", _authority.Issue("a.example.com"));
        });
        using var socket = await Clients.ConnectAsync(_address);
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        Assert.Equal(0, await socket.ReceiveAsync(new byte[1], SocketFlags.None, deadline.Token));
    }

    [Fact]
    public async Task Http2_Keys_AndBodyLimits_AreAnsweredOnTheStream()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o =>
        {
            o.MaxBodyBytes = 100;
            o.Keys.Entries["team"] = new Mesh.Gateway.Keys.KeyEntry { Hash = Mesh.Gateway.Keys.KeyHash.Of("team", "sk-0123456789abcdef0123456789").ToString() };
            o.Certificates["store"] = Files("store", _authority.Issue("a.example.com"));
        });
        using var client = Client("a.example.com", HttpVersion.Version20);
        using var refused = await PostAsync(client);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        using var taken = await PostAsync(client, r => r.Headers.Add("api-key", "sk-0123456789abcdef0123456789"));
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);
        using var large = await PostAsync(client, r =>
        {
            r.Headers.Add("api-key", "sk-0123456789abcdef0123456789");
            r.Content = new StringContent(new string(' ', 5000), Encoding.UTF8, "application/json");
        });
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, large.StatusCode);
    }

    [Fact]
    public async Task ClearText_OnAnHttpsListener_IsClosed()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        await using var gateway = await StartAsync(Config(backend, Listener("tls", null, "store")), o => o.Certificates["store"] = Files("store", _authority.Issue("a.example.com")));
        using var client = new HttpClient { BaseAddress = new Uri($"http://{_address}"), Timeout = TimeSpan.FromSeconds(30) };
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => client.GetAsync("/healthz"));
    }

    [Fact]
    public async Task Files_MissingOrWrong_StopTheStartInWords()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var config = Config(backend, Listener("tls", null, "store"));
        var refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(config, _ => { }));
        Assert.Contains("HTTPS listeners need certificate files (Mesh:Certificates:NAME:Certificate and :Key)", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(config, o => o.Certificates["store"] = new CertificateOptions { Certificate = "/nothing.crt", Key = "/nothing.key" }));
        Assert.StartsWith("Mesh:Certificates:store:Certificate: /nothing.crt cannot be read:", refused.Message, StringComparison.Ordinal);
        var files = Files("store", _authority.Issue("a"));
        Files("other", _authority.Issue("a"));
        files.Key = Path.Combine(_folder.Path, "other.key");
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(() => StartAsync(config, o => o.Certificates["store"] = files));
        Assert.Contains("are not a certificate and its key in PEM", refused.Message, StringComparison.Ordinal);
        refused = await Assert.ThrowsAsync<GatewayConfigurationException>(
            () => StartAsync(config, o => o.Certificates["store"] = Files("third", _authority.Issue("a")) with { ClientCertificate = ClientCertificates.Required }));
        Assert.Equal("Mesh:Certificates:store:ClientAuthority is required where clients show certificates.", refused.Message);
    }

    [Fact]
    public async Task Listeners_HttpBesideHttpsWithoutFiles_HttpServesAndTheLogTells()
    {
        await using var backend = ScriptedBackend.Answering(200, "{}");
        var loggers = new CapturingLoggers("Mesh.Gateway.Hosting.GatewayHost");
        var config = Config(backend, new ListenerConfig("http", ListenerProtocol.Http, 80, null), Listener("tls", null, "store"));
        await using var gateway = await TestGateway.StartAsync(config, loggers: loggers);
        using var response = await gateway.PostAsync(Body);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Contains("HTTPS listener tls does not serve: none of its certificates (store) has files", Assert.Single(loggers.Lines), StringComparison.Ordinal);
    }
}
