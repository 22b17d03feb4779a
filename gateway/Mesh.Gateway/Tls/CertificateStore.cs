using System.Collections.Frozen;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tls;

/// <summary>The certificates that listeners show, read again when a file changes; after a broken edit the last good ones stay. Thread-safe.</summary>
internal sealed partial class CertificateStore : IDisposable
{
    private static readonly TimeSpan EndsSoon = TimeSpan.FromDays(14);

    private readonly Dictionary<string, CertificateOptions> _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly FileWatch? _watch;
    private volatile FrozenDictionary<string, SslServerAuthenticationOptions> _current = FrozenDictionary<string, SslServerAuthenticationOptions>.Empty;

    /// <exception cref="GatewayConfigurationException">A file cannot be read or used; the message names each mistake.</exception>
    public CertificateStore(Dictionary<string, CertificateOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        _options = options;
        _time = time;
        _log = loggers.CreateLogger<CertificateStore>();
        if (options.Count == 0) return;
        string[] files = [.. options.Values.SelectMany(o => new[] { o.Certificate, o.Key, o.ClientAuthority }).Where(f => !string.IsNullOrEmpty(f)).Select(f => f!)];
        _watch = new FileWatch(files, PemFiles.MaxBytes, Reload, time);
        var problems = new List<string>();
        if (Load(problems) is { } first)
        {
            _current = first;
            return;
        }

        _watch.Dispose();
        throw new GatewayConfigurationException(string.Join('\n', problems));
    }

    /// <summary>What a handshake with this certificate needs; null when there is none of that name.</summary>
    public SslServerAuthenticationOptions? Find(string name) => _current.GetValueOrDefault(name);

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        var problems = new List<string>();
        if (Load(problems) is { } next)
        {
            _current = next;
            Taken(_log, next.Count);
            return;
        }

        foreach (var problem in problems) Broken(_log, problem);
        Kept(_log);
    }

    private FrozenDictionary<string, SslServerAuthenticationOptions>? Load(List<string> problems)
    {
        var loaded = new Dictionary<string, SslServerAuthenticationOptions>(StringComparer.Ordinal);
        foreach (var (name, options) in _options.OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            var where = $"Mesh:Certificates:{name}";
            if (PemFiles.ReadWithKey(where, options.Certificate, options.Key, problems) is not { } found) continue;
            if (found.Leaf.NotAfter - _time.GetUtcNow() < EndsSoon) WarnOfEnd(_log, name, found.Leaf.NotAfter.ToUniversalTime());
            var handshake = new SslServerAuthenticationOptions
            {
                // Offline: a handshake waits for nobody else.
                ServerCertificateContext = SslStreamCertificateContext.Create(found.Leaf, found.Chain, offline: true),
                CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            };
            if (options.ClientCertificate != ClientCertificates.None) AskClients(handshake, options, where, problems);
            loaded[name] = handshake;
        }

        return problems.Count == 0 ? loaded.ToFrozenDictionary(StringComparer.Ordinal) : null;
    }

    private static void AskClients(SslServerAuthenticationOptions handshake, CertificateOptions options, string where, List<string> problems)
    {
        if (string.IsNullOrEmpty(options.ClientAuthority))
        {
            problems.Add($"{where}:ClientAuthority is required where clients show certificates.");
            return;
        }

        if (PemFiles.ReadAuthorities($"{where}:ClientAuthority", options.ClientAuthority, problems) is not { } authorities) return;
        handshake.ClientCertificateRequired = true;
        handshake.CertificateChainPolicy = TrustOf(authorities);
        var isOptional = options.ClientCertificate == ClientCertificates.Optional;
        handshake.RemoteCertificateValidationCallback = (_, certificate, _, errors) => certificate is null ? isOptional : errors == SslPolicyErrors.None;
    }

    /// <summary>Trusts these authorities and no others.</summary>
    public static X509ChainPolicy TrustOf(X509Certificate2Collection authorities)
    {
        var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck, DisableCertificateDownloads = true };
        policy.CustomTrustStore.AddRange(authorities);
        return policy;
    }

    [LoggerMessage(1, LogLevel.Information, "Certificates changed; {Count} are in force.")]
    private static partial void Taken(ILogger log, int count);

    [LoggerMessage(2, LogLevel.Error, "{Problem}")]
    private static partial void Broken(ILogger log, string problem);

    [LoggerMessage(3, LogLevel.Error, "The certificates before stay in force.")]
    private static partial void Kept(ILogger log);

    [LoggerMessage(4, LogLevel.Warning, "Certificate {Name} ends or ended on {End:u}.")]
    private static partial void WarnOfEnd(ILogger log, string name, DateTime end);
}
