using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Engine.Federation;
using Mesh.Gateway.Federation;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Metrics;
using Mesh.Regions.Tests.Support;
using Mesh.Testing.Net;
using Microsoft.Extensions.Logging.Abstractions;

namespace Mesh.Regions.Tests.Links;

/// <summary>Two gateways' links over real sockets: who is let in, and what is heard.</summary>
public sealed class HubTests : IDisposable
{
    private const string Secret = "a-secret-of-some-length";

    private readonly string _folder = Directory.CreateTempSubdirectory("mesh-hub-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Link_SameSecret_EachHearsTheOther()
    {
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await StartAsync(a, b, o => o.Federation.Token = Secret, o => o.Federation.Token = Secret);
        await Poll.UntilAsync(() => Task.FromResult(a.Engine.Reports.Count > 5 && b.Engine.Reports.Count > 5), TimeSpan.FromSeconds(30), () => $"{a.State} {b.State}");
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Healthy && b.State == PeerReach.Healthy), TimeSpan.FromSeconds(30), () => $"{a.State} {b.State}");
        var report = a.Engine.Reports.Last();
        Assert.Equal(("b", "pool-of-b"), (report.Region, Assert.Single(report.Pools).Pool.Name));
        Assert.NotNull(a.Peer.RoundTrip);
        Assert.Null(a.Peer.LastError);
    }

    [Fact]
    public async Task Link_OtherSecret_IsRefusedAndSaysSo()
    {
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await StartAsync(a, b, o => o.Federation.Token = Secret, o => o.Federation.Token = Secret + "-not");
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => $"{a.State} {a.Peer.LastError}");
        Assert.Contains("does not have the federation's secret", a.Peer.LastError, StringComparison.Ordinal);
        Assert.DoesNotContain(Secret, a.Peer.LastError, StringComparison.Ordinal);
        Assert.Empty(a.Engine.Reports);
    }

    [Fact]
    public async Task Link_AnotherNameAnswers_IsRefusedAndSaysWhich()
    {
        await using var a = new Side("a", "b");
        await using var c = new Side("c", "a");
        await StartAsync(a, c, _ => { }, _ => { });
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => $"{a.State} {a.Peer.LastError}");
        await Poll.UntilAsync(() => Task.FromResult(c.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => $"{c.State} {c.Peer.LastError}");
        Assert.Contains("calls itself 'c'", c.Peer.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Link_OwnAddress_IsRefusedAsTheOwnName()
    {
        await using var a = new Side("a", "b");
        await a.StartAsync(a.Address, "http", _ => { });
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => $"{a.State} {a.Peer.LastError}");
        Assert.Contains("own name", a.Peer.LastError, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Link_MutualTls_PeersAreKnownByTheNamesOfTheirCertificates()
    {
        using var authority = Authority();
        Write("ca.pem", authority.ExportCertificatePem());
        foreach (var name in new[] { "a", "b", "mallory" }) Issue(authority, name);
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await StartAsync(a, b, o => Certificates(o, "a"), o => Certificates(o, "b"), "https");
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Healthy && b.State == PeerReach.Healthy), TimeSpan.FromSeconds(30), () => $"{a.Peer.LastError} {b.Peer.LastError}");
    }

    [Fact]
    public async Task Link_CertificateOfAnotherName_IsRefused()
    {
        using var authority = Authority();
        Write("ca.pem", authority.ExportCertificatePem());
        foreach (var name in new[] { "a", "mallory" }) Issue(authority, name);
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await StartAsync(a, b, o => Certificates(o, "a"), o => Certificates(o, "mallory"), "https");
        await Poll.UntilAsync(() => Task.FromResult(a.Peer.LastError is not null && b.Peer.LastError is not null), TimeSpan.FromSeconds(30), () => $"{a.State} {b.State}");
        await Task.Delay(500);
        Assert.Empty(a.Engine.Reports);
        Assert.Empty(b.Engine.Reports);
    }

    [Fact]
    public async Task SetPeers_AnotherPeer_IsLinkedAndTheOneThatIsGoneIsTurnedAway()
    {
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await using var c = new Side("c", "a");
        await StartAsync(a, b, _ => { }, _ => { });
        await c.StartAsync(a.Address, "http", _ => { });
        await Poll.UntilAsync(() => Task.FromResult(b.State == PeerReach.Healthy && c.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => $"{b.State} {c.State}");
        var reachable = a.Hub.ReachableToken("b");
        a.Hub.SetPeers([new PeerAddress("c", "c", [new Uri($"http://{c.Address}")])]);
        Assert.True(reachable.IsCancellationRequested);
        Assert.Null(a.Hub.PeerOf("b"));
        Assert.Equal("c", Assert.Single(a.Engine.Regions));
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Healthy && c.State == PeerReach.Healthy), TimeSpan.FromSeconds(30), () => $"{a.Peer} {c.Peer}");
        await Poll.UntilAsync(() => Task.FromResult(b.State == PeerReach.Refused), TimeSpan.FromSeconds(30), () => b.Peer.ToString());
        Assert.Contains("none of this gateway's peers", b.Peer.LastError, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => a.Hub.SetPeers([new PeerAddress("x", "a", [new Uri("http://127.0.0.1:1")])]));
        Assert.Equal("c", a.Peer.Name);
    }

    [Fact]
    public async Task SetPeers_SameAgain_TouchesNothing()
    {
        await using var a = new Side("a", "b");
        await using var b = new Side("b", "a");
        await StartAsync(a, b, _ => { }, _ => { });
        await Poll.UntilAsync(() => Task.FromResult(a.State == PeerReach.Healthy && b.State == PeerReach.Healthy), TimeSpan.FromSeconds(30), () => $"{a.Peer} {b.Peer}");
        var connections = a.Peer.Connections;
        var reachable = a.Hub.ReachableToken("b");
        a.Hub.SetPeers([new PeerAddress("b", "b", [new Uri($"http://{b.Address}")])]);
        Assert.Equal(reachable, a.Hub.ReachableToken("b"));
        Assert.Equal(connections, a.Peer.Connections);
    }

    private static async Task StartAsync(Side first, Side second, Action<GatewayOptions> firstOptions, Action<GatewayOptions> secondOptions, string scheme = "http")
    {
        await first.StartAsync(second.Address, scheme, firstOptions);
        await second.StartAsync(first.Address, scheme, secondOptions);
    }

    private static X509Certificate2 Authority()
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mesh test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    private void Issue(X509Certificate2 authority, string name)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.Create(authority, now.AddHours(-1), now.AddHours(20), [.. name.Select(c => (byte)c), 1]);
        Write($"{name}.pem", certificate.ExportCertificatePem());
        Write($"{name}.key", key.ExportPkcs8PrivateKeyPem());
    }

    private void Certificates(GatewayOptions options, string name)
    {
        options.Federation.Authority = Path.Combine(_folder, "ca.pem");
        options.Federation.Certificate = Path.Combine(_folder, $"{name}.pem");
        options.Federation.Key = Path.Combine(_folder, $"{name}.key");
    }

    private void Write(string name, string text) => File.WriteAllText(Path.Combine(_folder, name), text);

    /// <summary>One gateway's side of the exchange, without the gateway.</summary>
    private sealed class Side : IAsyncDisposable
    {
        private readonly string _name;
        private readonly string _peer;
        private FederationService? _service;

        public Side(string name, string peer)
        {
            (_name, _peer) = (name, peer);
            Engine = new RecordingEngine(name);
            Address = FreePorts.NextEndPoint();
        }

        public IPEndPoint Address { get; }

        public RecordingEngine Engine { get; }

        public FederationHub Hub => (FederationHub)_service!.Hub;

        public PeerLinkSnapshot Peer => Assert.Single(_service!.Hub.Peers());

        public PeerReach State => Peer.State;

        public async Task StartAsync(IPEndPoint peer, string scheme, Action<GatewayOptions> change)
        {
            var options = new GatewayOptions { Region = _name, Peers = { [_peer] = new PeerOptions { Url = $"{scheme}://{peer}" } }, Federation = { Listen = Address.ToString() } };
            change(options);
            _service = FederationService.Create(options, Engine, new GatewayMetrics(), TimeProvider.System, NullLoggerFactory.Instance)!;
            await _service.StartAsync((_, _) => Task.CompletedTask);
        }

        public async ValueTask DisposeAsync()
        {
            if (_service is not null) await _service.DisposeAsync();
        }
    }

    /// <summary>An engine that has one pool and notes what peers say.</summary>
    private sealed class RecordingEngine(string name) : IRegionEngine
    {
        public ConcurrentQueue<RegionReport> Reports { get; } = new();

        public ImmutableArray<string> Regions { get; private set; } = [];

        public void Federate(ImmutableArray<string> regions, Action reportSooner, Func<ImmutableArray<PeerLinkSnapshot>> snapshot) => Regions = regions;

        public ImmutableArray<PoolReport> BuildReport(string receiver) => [new PoolReport { Pool = new PoolId("ns", $"pool-of-{name}") }];

        public void ApplyPeer(RegionReport report) => Reports.Enqueue(report);

        public void PeerLost(string region)
        {
        }

        public void ApplyRoundTrip(string region, TimeSpan roundTrip)
        {
        }
    }
}
