using System.Collections.Frozen;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Tls;

/// <summary>Which endpoints speak TLS, and how. Thread-safe.</summary>
internal sealed partial class UpstreamTls : IDisposable
{
    private readonly FrozenDictionary<string, UpstreamTlsRule> _rules;
    private readonly ILogger _log;
    private readonly FileWatch? _watch;
    private volatile FrozenDictionary<EndpointId, UpstreamTlsRule> _byEndpoint = FrozenDictionary<EndpointId, UpstreamTlsRule>.Empty;

    /// <exception cref="GatewayConfigurationException">A file cannot be read or used; the message names each mistake.</exception>
    public UpstreamTls(Dictionary<string, UpstreamTlsOptions> options, TimeProvider time, ILoggerFactory loggers)
    {
        _log = loggers.CreateLogger<UpstreamTls>();
        _rules = options.ToFrozenDictionary(o => o.Key, o => new UpstreamTlsRule(o.Key, o.Value, time, _log), StringComparer.Ordinal);
        string[] files = [.. options.Values.SelectMany(o => new[] { o.Authority, o.Certificate, o.Key }).Where(f => !string.IsNullOrEmpty(f)).Select(f => f!)];
        if (files.Length > 0) _watch = new FileWatch(files, PemFiles.MaxBytes, Reload, time);
        var problems = new List<string>();
        foreach (var rule in _rules.Values.OrderBy(r => r.Name, StringComparer.Ordinal)) rule.Load(problems);
        if (problems.Count == 0) return;
        _watch?.Dispose();
        throw new GatewayConfigurationException(string.Join('\n', problems));
    }

    /// <summary>Every rule.</summary>
    public IEnumerable<UpstreamTlsRule> Rules => _rules.Values;

    /// <summary>Takes up the endpoints of a configuration.</summary>
    public void Follow(MeshConfig config)
    {
        if (_rules.Count == 0) return;
        var byEndpoint = new Dictionary<EndpointId, UpstreamTlsRule>();
        foreach (var pool in config.Pools)
        {
            foreach (var backend in pool.Backends)
            {
                var rule = _rules.GetValueOrDefault(pool.Id.ToString()) ?? _rules.GetValueOrDefault(backend.Id.Cluster) ?? _rules.GetValueOrDefault("*");
                if (rule is null) continue;
                foreach (var endpoint in backend.Endpoints) byEndpoint.TryAdd(endpoint.Id, rule);
            }
        }

        _byEndpoint = byEndpoint.ToFrozenDictionary();
    }

    /// <summary>How an endpoint speaks TLS; null for clear text.</summary>
    public UpstreamTlsRule? For(EndpointId endpoint) => _byEndpoint.GetValueOrDefault(endpoint);

    /// <summary>As the engine's probes, lists and pages need it; null for clear text.</summary>
    public SecureConnection? SecurityOf(EndpointId endpoint)
    {
        if (For(endpoint) is not { } rule) return null;
        var address = endpoint.Address;
        var host = address[..address.LastIndexOf(':')];
        return (connection, cancellationToken) => rule.HandshakeAsync(connection, host, http2: false, cancellationToken);
    }

    public void Dispose() => _watch?.Dispose();

    private void Reload()
    {
        var problems = new List<string>();
        foreach (var rule in _rules.Values.OrderBy(r => r.Name, StringComparer.Ordinal)) rule.Load(problems);
        foreach (var problem in problems) Broken(_log, problem);
        if (problems.Count == 0) Taken(_log);
    }

    [LoggerMessage(1, LogLevel.Error, "{Problem} What was there before stays in force.")]
    private static partial void Broken(ILogger log, string problem);

    [LoggerMessage(2, LogLevel.Information, "Certificates towards model servers changed; they count from the next connection on.")]
    private static partial void Taken(ILogger log);
}
