using System.Collections.Concurrent;
using Mesh.Engine.Federation;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Federation.Forwarding;

/// <summary>
/// Sends requests to the gateways of peer regions over HTTP/2. Each peer has a client of its own, which is replaced when the peer becomes
/// unreachable: a connection that fell silent may be dead without knowing, and what comes after the peer is back must not wait for that to
/// show. Answers under way go on over the old one. Thread-safe.
/// </summary>
internal sealed class PeerClients : IDisposable
{
    private readonly FederationHub _hub;
    private readonly FederationCredentials _credentials;
    private readonly TimeSpan _idleTimeout;
    private readonly ConcurrentDictionary<string, PeerClient> _byName = new(StringComparer.Ordinal);

    /// <param name="hub">Where the peers are.</param>
    /// <param name="credentials">By what they know this gateway.</param>
    /// <param name="idleTimeout">Time within which an answer that has begun must go on; zero sets no limit.</param>
    public PeerClients(FederationHub hub, FederationCredentials credentials, TimeSpan idleTimeout)
    {
        (_hub, _credentials, _idleTimeout) = (hub, credentials, idleTimeout);
    }

    /// <summary>Region of this gateway.</summary>
    public string Region => _hub.Self.Region;

    /// <summary>Name of a region's peer; the region's own for an unknown one.</summary>
    public string NameOf(string region) => _hub.PeerOf(region)?.Name ?? region;

    /// <summary>Address of a region's gateway, for people.</summary>
    public string AddressOf(string region) => _hub.UrlOf(region)?.Authority ?? "";

    /// <summary>Cancelled when the peer becomes unreachable.</summary>
    public CancellationToken ReachableToken(string region) => _hub.ReachableToken(region);

    /// <summary>Sends a request and waits for the head of the answer.</summary>
    /// <param name="region">Where to.</param>
    /// <param name="request">What the model server shall get; its endpoint counts for nothing.</param>
    /// <param name="forwarded">What the peer is told of it.</param>
    /// <param name="cancellationToken">Aborts it, across.</param>
    public ValueTask<PeerAnswer> SendAsync(string region, UpstreamRequest request, ForwardedRequest forwarded, CancellationToken cancellationToken) =>
        _hub.PeerOf(region) is { } peer
            ? ClientOf(peer).SendAsync(request, forwarded, cancellationToken)
            : ValueTask.FromResult(PeerAnswer.Failed(UpstreamFailure.ConnectFailed, $"No peer serves region {region}."));

    public void Dispose()
    {
        foreach (var client in _byName.Values) client.Dispose();
    }

    /// <summary>The client of a peer; another one once its address or region has changed.</summary>
    private PeerClient ClientOf(PeerAddress peer)
    {
        if (_byName.TryGetValue(peer.Name, out var client) && client.Peer.Equals(peer)) return client;
        // Rare: a peer has been added or changed. What an old client is at goes on; its connections close once they are idle.
        foreach (var name in _byName.Keys)
        {
            if (!_hub.Addresses.Any(a => a.Name == name)) _byName.TryRemove(name, out _);
        }

        return _byName.AddOrUpdate(
            peer.Name, static (_, arg) => new PeerClient(arg._hub, arg.peer, arg._credentials, arg._idleTimeout),
            static (_, old, arg) => old.Peer.Equals(arg.peer) ? old : new PeerClient(arg._hub, arg.peer, arg._credentials, arg._idleTimeout),
            (_hub, peer, _credentials, _idleTimeout));
    }
}

/// <summary>The head of a peer's answer, or why there is none.</summary>
/// <param name="Response">The answer; null exactly when <paramref name="Failure"/> is set. The receiver disposes it.</param>
/// <param name="Failure">Why there is none.</param>
/// <param name="Detail">For logs; null without a failure.</param>
internal readonly record struct PeerAnswer(IUpstreamResponse? Response, UpstreamFailure Failure, string? Detail)
{
    /// <summary>Endpoint that answered there; null when none did.</summary>
    public string? Served { get; init; }

    /// <summary>Reason of the peer gateway's own error; null when it passes an answer of a model server on.</summary>
    public string? Reason { get; init; }

    public static PeerAnswer Failed(UpstreamFailure failure, string? detail) => new(null, failure, detail);
}
