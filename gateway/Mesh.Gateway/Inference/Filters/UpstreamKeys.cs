using System.Collections.Frozen;
using Mesh.Core.Endpoints;
using Mesh.Gateway.Hosting;

namespace Mesh.Gateway.Inference.Filters;

/// <summary>
/// The keys by which the gateway makes itself known to model servers: one per pool (<c>namespace/name</c>) or cluster, or <c>*</c> for all.
/// A value <c>file:PATH</c> is read from that file, and again when it changes. Thread-safe.
/// </summary>
internal sealed class UpstreamKeys : IDisposable
{
    private const string FilePrefix = "file:";
    private const string Everywhere = "*";
    private const int MaxKeyChars = 4096;

    private static readonly TimeSpan ReloadInterval = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, string> _sources;
    private readonly ITimer? _timer;
    private volatile FrozenDictionary<string, string> _authorizations;

    /// <exception cref="GatewayConfigurationException">A file cannot be read, or a key is empty or has characters that no header may have.</exception>
    public UpstreamKeys(Dictionary<string, string> sources, TimeProvider time)
    {
        _sources = sources;
        _authorizations = ReadAll(null);
        if (sources.Values.Any(IsFile)) _timer = time.CreateTimer(static s => ((UpstreamKeys)s!).Reload(), this, ReloadInterval, ReloadInterval);
    }

    /// <summary>True when no upstream has a key.</summary>
    public bool IsEmpty => _sources.Count == 0;

    /// <summary>Value of <c>Authorization</c> for an endpoint of a pool: the pool's key, else its cluster's, else everybody's; null without one.</summary>
    public string? AuthorizationFor(PoolEntry pool, EndpointId endpoint)
    {
        var keys = _authorizations;
        if (keys.Count == 0) return null;
        if (keys.TryGetValue(pool.Label, out var key)) return key;
        if (pool.ClusterOf(endpoint) is { } cluster && keys.TryGetValue(cluster, out key)) return key;
        return keys.GetValueOrDefault(Everywhere);
    }

    /// <summary>Reads the files again. A file that cannot be read, or holds no key now, keeps the key that it held.</summary>
    public void Reload() => _authorizations = ReadAll(_authorizations);

    public void Dispose() => _timer?.Dispose();

    private static bool IsFile(string value) => value.StartsWith(FilePrefix, StringComparison.Ordinal);

    private FrozenDictionary<string, string> ReadAll(FrozenDictionary<string, string>? before)
    {
        var keys = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, source) in _sources)
        {
            try
            {
                keys[name] = $"Bearer {Read(name, source)}";
            }
            catch (GatewayConfigurationException) when (before is not null)
            {
                if (before.TryGetValue(name, out var kept)) keys[name] = kept;
            }
        }

        return keys.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private static string Read(string name, string source)
    {
        try
        {
            var key = (IsFile(source) ? File.ReadAllText(source[FilePrefix.Length..]) : source).Trim();
            if (key.Length is > 0 and <= MaxKeyChars && !key.AsSpan().ContainsAnyExceptInRange('!', '~')) return key;
            throw new GatewayConfigurationException($"Mesh:UpstreamKeys:{name} is empty or has characters that a header cannot carry.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            throw new GatewayConfigurationException($"Mesh:UpstreamKeys:{name} cannot be read: {e.Message}", e);
        }
    }
}
