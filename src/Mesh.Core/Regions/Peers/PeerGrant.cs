namespace Mesh.Core.Regions.Peers;

/// <summary>What one report lets a peer send here, with the counts that it was worked out from.</summary>
/// <param name="ReceivedEpoch">Epoch of the peer's requests that <paramref name="Received"/> counts.</param>
/// <param name="Received">Requests that had come.</param>
/// <param name="GrantPreferred">Further ones that it may send to preferred backends.</param>
/// <param name="Grant">Further ones that it may send to others.</param>
internal readonly record struct PeerGrant(long ReceivedEpoch, long Received, double GrantPreferred, double Grant)
{
    /// <summary>Requests of it that were in flight here, when the places of those that end are its own again; null when they are anybody's.</summary>
    public int? Hosted { get; init; }
}
