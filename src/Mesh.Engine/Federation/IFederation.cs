using System.Collections.Immutable;
using System.IO.Pipelines;

namespace Mesh.Engine.Federation;

/// <summary>
/// A region among its peers, as a gateway sees it: the hub in its own process (<see cref="FederationHub"/>), or one elsewhere that all gateways of the
/// region share. Thread-safe.
/// </summary>
public interface IFederation : IAsyncDisposable
{
    /// <summary>Raised when a peer says that it goes by a configuration, on the thread that reads its reports; never where the hub is elsewhere, which sees to it.</summary>
    event Action<PeerAddress, ConfigTag>? ConfigHeard;

    /// <summary>Who this region is towards its peers. Where the hub is elsewhere its epoch is that of the hub last heard of, 0 before.</summary>
    PeerIdentity Self { get; }

    /// <summary>The peers as configured, ordered by name.</summary>
    ImmutableArray<PeerAddress> Addresses { get; }

    /// <summary>The configuration that reports say this region goes by; setting it has no effect where the hub is elsewhere.</summary>
    ConfigTag Config { get; set; }

    /// <summary>Begins.</summary>
    void Start();

    /// <summary>Sets the peers. Where the hub is elsewhere, its own process sets those that it follows; here, who is answered and sent to.</summary>
    /// <param name="peers">All of them.</param>
    /// <exception cref="ArgumentException">Two share a name or region, or one has no address; nothing has changed then.</exception>
    void SetPeers(ImmutableArray<PeerAddress> peers);

    /// <summary>State of every peer, ordered by name.</summary>
    ImmutableArray<PeerLinkSnapshot> Peers();

    /// <summary>Whether a reader is a peer; null when it is, else why not.</summary>
    /// <param name="reader">What the reader says of itself; null when it says nothing.</param>
    string? Objection(PeerIdentity? reader);

    /// <summary>The peer that serves a region; null when none does.</summary>
    PeerAddress? PeerOf(string region);

    /// <summary>Address of the peer that answered last, else its first; null for an unknown region.</summary>
    Uri? UrlOf(string region);

    /// <summary>Cancelled when the peer of a region becomes unreachable; none for an unknown region.</summary>
    CancellationToken ReachableToken(string region);

    /// <summary>Asks a peer for something besides its reports, over a connection of its own.</summary>
    /// <param name="peer">The peer, by name.</param>
    /// <param name="path">Path.</param>
    /// <param name="mostBytes">Largest answer.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The answer's body.</returns>
    /// <exception cref="HttpRequestException">It could not be had; the message says why.</exception>
    Task<byte[]> AskAsync(string peer, string path, int mostBytes, CancellationToken cancellationToken);

    /// <summary>Writes reports to a reader until it leaves or comes again, or the hub that the reader was told of is there no more.</summary>
    /// <param name="self">Who the reader was told that it speaks to: <see cref="Self"/> of a moment ago.</param>
    /// <param name="reader">A peer: <see cref="Objection"/> has said null.</param>
    /// <param name="output">Where to.</param>
    /// <param name="cancellationToken">Cancelled when the reader leaves.</param>
    Task PublishAsync(PeerIdentity self, PeerIdentity reader, PipeWriter output, CancellationToken cancellationToken);
}

/// <summary>An engine whose region has its exchange with peers elsewhere, once for all of its gateways.</summary>
public interface IFederatedEngine
{
    /// <summary>This gateway's way to the exchange; called once.</summary>
    /// <param name="settings">Who is who, as everywhere in the region.</param>
    /// <param name="connect">Gives a client for one connection to a peer; it is disposed when the connection ends.</param>
    /// <param name="loggers">Logs.</param>
    IFederation Join(FederationSettings settings, Func<PeerAddress, HttpMessageInvoker> connect, Microsoft.Extensions.Logging.ILoggerFactory loggers);
}

/// <summary>The configuration that one process of a region keeps for all others of it: which it is, and its contents.</summary>
public interface IRegionConfiguration
{
    /// <summary>Raised when <see cref="Tag"/> or <see cref="HasConflict"/> has changed; on any thread.</summary>
    event Action? Changed;

    /// <summary>Which configuration the region goes by; <see cref="ConfigTag.None"/> while nothing is known.</summary>
    ConfigTag Tag { get; }

    /// <summary>True while two clusters claim to be the config cluster.</summary>
    bool HasConflict { get; }

    /// <summary>Its contents; null when they cannot be had now.</summary>
    /// <param name="cancellationToken">Ends it.</param>
    Task<byte[]?> ReadAsync(CancellationToken cancellationToken);
}
