using System.Collections.Immutable;
using Mesh.Engine.Federation;

namespace Mesh.Grains.Federation;

/// <summary>What a silo needs so that the grain of its region can stand for the region among its peers; the same on every silo. Thread-safe.</summary>
public sealed class GrainFederation
{
    private readonly Lock _gate = new();
    private ImmutableArray<PeerAddress> _peers;

    /// <summary>Begins with the peers that the settings name.</summary>
    /// <param name="settings">Who is who. The epoch is set by each activation.</param>
    /// <param name="connect">Gives a client for one connection to a peer; it is disposed when the connection ends.</param>
    /// <param name="configuration">Keeps the configuration of the mesh on this silo; null where peers are told of none.</param>
    public GrainFederation(FederationSettings settings, Func<PeerAddress, HttpMessageInvoker> connect, ISpokesman? configuration = null)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(connect);
        (Settings, Connect, Configuration, _peers) = (settings, connect, configuration, settings.Peers);
    }

    /// <summary>Raised when <see cref="Peers"/> has changed, on the thread that set them.</summary>
    public event Action? PeersChanged;

    /// <summary>Who is who; the peers in it are those of the start.</summary>
    public FederationSettings Settings { get; }

    /// <summary>Gives a client for one connection to a peer.</summary>
    public Func<PeerAddress, HttpMessageInvoker> Connect { get; }

    /// <summary>Keeps the configuration of the mesh on this silo; null where peers are told of none.</summary>
    public ISpokesman? Configuration { get; }

    /// <summary>The peers that there are now.</summary>
    public ImmutableArray<PeerAddress> Peers
    {
        get
        {
            lock (_gate) return _peers;
        }
    }

    /// <summary>Sets the peers: where the region's grain is on this silo it goes on with them, elsewhere they are there if it comes.</summary>
    /// <param name="peers">All of them.</param>
    /// <exception cref="ArgumentException">Two share a name or region, or one has no address; nothing has changed then.</exception>
    public void SetPeers(ImmutableArray<PeerAddress> peers)
    {
        (Settings with { Peers = peers }).Validate();
        lock (_gate)
        {
            if (peers.AsSpan().SequenceEqual(_peers.AsSpan())) return;
            _peers = peers;
        }

        PeersChanged?.Invoke();
    }
}

/// <summary>Keeps the configuration of the mesh on a silo, and speaks for the region while the region's grain is there. Thread-safe.</summary>
public interface ISpokesman
{
    /// <summary>True while two clusters claim to be the config cluster.</summary>
    bool HasConflict { get; }

    /// <summary>Which configuration this silo goes by.</summary>
    ConfigTag Tag { get; }

    /// <summary>The region's grain is on this silo from now on: what it goes by is told by the hub, and what peers tell is followed.</summary>
    void Lead(IFederation hub);

    /// <summary>The region's grain has left, or will in a moment.</summary>
    void Cease(IFederation hub);

    /// <summary>The configuration that this silo goes by, for the processes of the region; null for none.</summary>
    byte[]? Read();
}
