using Mesh.Engine.Federation;

namespace Mesh.Grains.Federation;

/// <summary>What a silo needs so that the grain of its region can stand for the region among its peers; the same on every silo.</summary>
/// <param name="Settings">Who is who. The epoch is set by each activation.</param>
/// <param name="Connect">Gives a client for one connection to a peer; it is disposed when the connection ends.</param>
/// <param name="Configuration">Keeps the configuration of the mesh on this silo; null where peers are told of none.</param>
public sealed record GrainFederation(FederationSettings Settings, Func<PeerAddress, HttpMessageInvoker> Connect, ISpokesman? Configuration = null);

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
