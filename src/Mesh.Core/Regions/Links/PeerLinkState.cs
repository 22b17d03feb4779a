namespace Mesh.Core.Regions.Links;

/// <summary>How far a peer region can be relied upon.</summary>
public enum PeerLinkState
{
    /// <summary>Nothing has been heard for long, or ever.</summary>
    Unreachable,

    /// <summary>Silent for a while, or it does not hear us: no new requests go there.</summary>
    Suspect,

    /// <summary>Its reports come, and it hears ours.</summary>
    Fresh,
}
