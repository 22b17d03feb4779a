using System.Collections.Frozen;
using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Mesh.Engine.Federation;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Tls;

namespace Mesh.Gateway.Federation;

/// <summary>
/// By what peers know each other: a shared secret, compared in constant time, or certificates of a common authority whose names are the
/// peers', or both. Also makes the clients towards peers. Thread-safe.
/// </summary>
internal sealed class FederationCredentials
{
    // A dead connection is noticed by this even while nothing is sent over it.
    private static readonly TimeSpan PingDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan PingTimeout = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan IdleTimeout = TimeSpan.FromMinutes(2);

    private const int MaxHeadKib = 64;

    private readonly byte[]? _shared;
    private readonly string? _sharedToken;
    private readonly FrozenDictionary<string, string> _tokens;
    private readonly FrozenDictionary<string, byte[]> _digests;
    private readonly FrozenSet<string> _configured;
    private readonly SslStreamCertificateContext? _certificate;
    private readonly X509Certificate2Collection? _authorities;
    private readonly TimeSpan _connectTimeout;

    /// <exception cref="GatewayConfigurationException">A secret or certificate is of no use; the message says why.</exception>
    public FederationCredentials(GatewayOptions options, TimeSpan connectTimeout)
    {
        _connectTimeout = connectTimeout;
        var federation = options.Federation;
        var shared = FederationPlan.Secret("Mesh:Federation:Token", federation.Token);
        _sharedToken = shared;
        _shared = shared is null ? null : Digest(shared);
        _configured = options.Peers.Keys.ToFrozenSet(StringComparer.Ordinal);
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, peer) in options.Peers)
        {
            if ((FederationPlan.Secret($"Mesh:Peers:{name}:Token", peer.Token) ?? shared) is { } token) tokens[name] = token;
        }

        _tokens = tokens.ToFrozenDictionary(StringComparer.Ordinal);
        _digests = tokens.ToFrozenDictionary(t => t.Key, t => Digest(t.Value), StringComparer.Ordinal);
        var problems = new List<string>();
        if (!string.IsNullOrEmpty(federation.Authority)) _authorities = PemFiles.ReadAuthorities("Mesh:Federation:Authority", federation.Authority, problems);
        if (!string.IsNullOrEmpty(federation.Certificate))
        {
            if (string.IsNullOrEmpty(federation.Authority)) problems.Add("Mesh:Federation:Authority is required beside a certificate: peers are known by it.");
            if (PemFiles.ReadWithKey("Mesh:Federation", federation.Certificate, federation.Key, problems) is { } found)
                _certificate = SslStreamCertificateContext.Create(found.Leaf, found.Chain, offline: true);
        }

        if (problems.Count > 0) throw new GatewayConfigurationException(string.Join('\n', problems));
    }

    /// <summary>True when peers show certificates.</summary>
    public bool IsTls => _certificate is not null;

    /// <summary>TLS of the listener.</summary>
    public SslServerAuthenticationOptions ServerTls() => new()
    {
        ServerCertificateContext = _certificate,
        ClientCertificateRequired = true,
        CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
        CertificateChainPolicy = CertificateStore.TrustOf(_authorities!),
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is not null && errors == SslPolicyErrors.None,
    };

    /// <summary>Null when a request comes with what the peer that it names has; else why not.</summary>
    /// <param name="context">Request.</param>
    /// <param name="name">Name that the request gives.</param>
    public string? Objection(HttpContext context, string name)
    {
        if (IsTls && (context.Connection.ClientCertificate is not { } certificate || !IsNamed(certificate, name)))
        {
            return $"shows a certificate that is not made out to '{name}'";
        }

        if (!_digests.TryGetValue(name, out var expected)) expected = _shared;
        // Where each peer has a secret of its own, one that only the manifests name has none yet.
        if (expected is null) return _digests.Count > 0 && !IsTls && !_configured.Contains(name) ? "has no secret here: give all peers one by Mesh:Federation:Token" : null;
        var given = context.Request.Headers[PeerIdentity.TokenHeader] is [{ } token] ? token : "";
        return CryptographicOperations.FixedTimeEquals(Digest(given), expected) ? null : "does not have the federation's secret";
    }

    /// <summary>Adds what the peer asks for to a request.</summary>
    public void AddTo(HttpRequestMessage request, string peer)
    {
        if ((_tokens.GetValueOrDefault(peer) ?? _sharedToken) is { } token) request.Headers.TryAddWithoutValidation(PeerIdentity.TokenHeader, token);
    }

    /// <summary>A client towards a peer, with connections of its own.</summary>
    public HttpMessageInvoker Connect(PeerAddress peer)
    {
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            UseCookies = false,
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = _connectTimeout,
            ConnectCallback = static (context, cancellationToken) => PeerDialer.DialAsync(context.DnsEndPoint, cancellationToken),
            EnableMultipleHttp2Connections = true,
            PooledConnectionIdleTimeout = IdleTimeout,
            MaxResponseHeadersLength = MaxHeadKib,
            KeepAlivePingDelay = PingDelay,
            KeepAlivePingTimeout = PingTimeout,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ActivityHeadersPropagator = null,
            RequestHeaderEncodingSelector = static (_, _) => Encoding.Latin1,
        };
        if (_authorities is not null)
        {
            handler.SslOptions = new SslClientAuthenticationOptions
            {
                ClientCertificateContext = _certificate,
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
                CertificateChainPolicy = CertificateStore.TrustOf(_authorities),
                // A peer is known by its name, whatever the address that leads to it.
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                    (errors & ~SslPolicyErrors.RemoteCertificateNameMismatch) == SslPolicyErrors.None && certificate is X509Certificate2 leaf && IsNamed(leaf, peer.Name),
            };
        }

        return new TokenInvoker(handler, this, peer.Name);
    }

    private static byte[] Digest(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));

    // The host name check of certificates also takes names without a dot, and wildcards as the authority made them out.
    private static bool IsNamed(X509Certificate2 certificate, string name) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == name || (Uri.CheckHostName(name) == UriHostNameType.Dns && certificate.MatchesHostname(name, allowCommonName: false));

    private sealed class TokenInvoker(SocketsHttpHandler handler, FederationCredentials credentials, string peer) : HttpMessageInvoker(handler, disposeHandler: true)
    {
        public override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            credentials.AddTo(request, peer);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
