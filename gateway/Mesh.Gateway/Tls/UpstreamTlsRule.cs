using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Mesh.Gateway.Tls;

/// <summary>One way of speaking TLS to endpoints. Files that change count from the next handshake on. Thread-safe.</summary>
internal sealed partial class UpstreamTlsRule(string name, UpstreamTlsOptions options, TimeProvider time, ILogger log)
{
    // A rule with a mistake fails at every connection: what is logged of that is bounded.
    private static readonly TimeSpan LogPause = TimeSpan.FromSeconds(10);

    private volatile TlsFiles _files = new(null, null);
    private long _loggedAt = long.MinValue;

    /// <summary>Name in the options.</summary>
    public string Name => name;

    /// <summary>Host header; null leaves the client's.</summary>
    public string? Hostname => string.IsNullOrEmpty(options.Hostname) ? null : options.Hostname;

    /// <summary>True where HTTP/2 is spoken with endpoints that can.</summary>
    public bool Http2 => options.Http2;

    /// <summary>Reads the files; without effect, and with problems, when one is of no use.</summary>
    public void Load(List<string> problems)
    {
        var before = problems.Count;
        var where = $"Mesh:UpstreamTls:{name}";
        var authorities = string.IsNullOrEmpty(options.Authority) ? null : PemFiles.ReadAuthorities($"{where}:Authority", options.Authority, problems);
        SslStreamCertificateContext? own = null;
        if (!string.IsNullOrEmpty(options.Certificate) || !string.IsNullOrEmpty(options.Key))
        {
            if (PemFiles.ReadWithKey(where, options.Certificate, options.Key, problems) is { } found) own = SslStreamCertificateContext.Create(found.Leaf, found.Chain, offline: true);
        }

        if (problems.Count == before) _files = new TlsFiles(authorities, own);
    }

    /// <summary>Does the handshake over a connection.</summary>
    /// <param name="connection">Connection; it belongs to the stream, and is closed when the handshake fails.</param>
    /// <param name="address">Address of the endpoint: the name where the rule has none.</param>
    /// <param name="http2">True to offer HTTP/2.</param>
    /// <param name="cancellationToken">Ends the handshake.</param>
    /// <exception cref="UpstreamTlsException">The endpoint is not who it should be, or does not speak TLS; the message says why.</exception>
    public async ValueTask<Stream> HandshakeAsync(Stream connection, string address, bool http2, CancellationToken cancellationToken)
    {
        var host = Hostname ?? address;
        var files = _files;
        string? reason = null;
        var tls = new SslStream(connection, leaveInnerStreamOpen: false);
        var handshake = new SslClientAuthenticationOptions
        {
            TargetHost = host,
            ApplicationProtocols = http2 ? [SslApplicationProtocol.Http2, SslApplicationProtocol.Http11] : [SslApplicationProtocol.Http11],
            ClientCertificateContext = files.Own,
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            CertificateChainPolicy = files.Authorities is { } authorities ? CertificateStore.TrustOf(authorities) : null,
            RemoteCertificateValidationCallback = (_, certificate, chain, errors) =>
            {
                if (errors == SslPolicyErrors.None) return true;
                reason = Reason(certificate as X509Certificate2, chain, errors, host);
                return false;
            },
        };
        try
        {
            await tls.AuthenticateAsClientAsync(handshake, cancellationToken).ConfigureAwait(false);
            return tls;
        }
        catch (Exception e) when (e is AuthenticationException or IOException)
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            var message = $"TLS with {address} (Mesh:UpstreamTls:{name}): {reason ?? e.InnerException?.Message ?? e.Message}";
            if (MayLog()) Refused(log, message);
            throw new UpstreamTlsException(message);
        }
        catch
        {
            await tls.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    private static string Reason(X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors, string host)
    {
        if (certificate is null) return "it shows no certificate.";
        var reasons = new List<string>();
        foreach (var status in chain?.ChainStatus ?? [])
        {
            reasons.Add(status.Status switch
            {
                X509ChainStatusFlags.NotTimeValid => FormattableString.Invariant(
                    $"its certificate is valid from {certificate.NotBefore.ToUniversalTime():u} to {certificate.NotAfter.ToUniversalTime():u} alone"),
                X509ChainStatusFlags.UntrustedRoot or X509ChainStatusFlags.PartialChain => $"its certificate is of an authority that is not trusted ({certificate.Issuer})",
                _ => $"its certificate is not accepted ({status.Status})",
            });
        }

        if (errors.HasFlag(SslPolicyErrors.RemoteCertificateNameMismatch)) reasons.Add($"its certificate ({certificate.Subject}) is not for {host}");
        return string.Join("; ", reasons.Distinct()) + ".";
    }

    private bool MayLog()
    {
        var last = Volatile.Read(ref _loggedAt);
        var now = time.GetTimestamp();
        return (last == long.MinValue || time.GetElapsedTime(last, now) >= LogPause) && Interlocked.CompareExchange(ref _loggedAt, now, last) == last;
    }

    [LoggerMessage(1, LogLevel.Warning, "{Message}")]
    private static partial void Refused(ILogger log, string message);

    private sealed record TlsFiles(X509Certificate2Collection? Authorities, SslStreamCertificateContext? Own);
}

/// <summary>An endpoint with which there is no TLS. The message is for people and names endpoint, option and reason.</summary>
internal sealed class UpstreamTlsException(string message) : AuthenticationException(message);
