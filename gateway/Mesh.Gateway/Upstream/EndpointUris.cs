using System.Collections.Concurrent;
using Mesh.Core.Endpoints;

namespace Mesh.Gateway.Upstream;

/// <summary>URIs by endpoint and target, so that parsing one is not part of every request. Bounded: it forgets all when full.</summary>
/// <param name="scheme">Scheme of every one.</param>
internal sealed class EndpointUris(string scheme)
{
    private const int MaxEntries = 8192;

    private static readonly UriCreationOptions AsIs = new() { DangerousDisablePathAndQueryCanonicalization = true };

    private readonly ConcurrentDictionary<(EndpointId Endpoint, string Target), Uri> _uris = new();
    private int _count;

    /// <summary>The URI of a target at an endpoint, the target unchanged.</summary>
    public Uri For(EndpointId endpoint, string target)
    {
        // Queries are the client's to invent: they are not kept.
        if (target.Contains('?')) return Create(endpoint, target);
        if (_uris.TryGetValue((endpoint, target), out var known)) return known;
        var uri = Create(endpoint, target);
        if (Interlocked.Increment(ref _count) > MaxEntries)
        {
            _uris.Clear();
            Interlocked.Exchange(ref _count, 1);
        }

        _uris[(endpoint, target)] = uri;
        return uri;
    }

    private Uri Create(EndpointId endpoint, string target) => new($"{scheme}://{endpoint.Address}{target}", in AsIs);
}
