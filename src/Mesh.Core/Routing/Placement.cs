using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Peers;

namespace Mesh.Core.Routing;

/// <summary>Where a request could go.</summary>
/// <param name="Endpoint">The endpoint; null when there is none, or none below target.</param>
/// <param name="Reason">Why, or why not.</param>
internal readonly record struct Placement(EndpointState? Endpoint, DecisionReason Reason)
{
    /// <summary>Peer region that it should be forwarded to; null when it should not.</summary>
    public Peer? Peer { get; init; }

    /// <summary>True when its backend has room but too few healthy endpoints: the next tier should have it, if that has room.</summary>
    public bool PassesOn { get; init; }

    /// <summary>True when there is a place, here or with a peer.</summary>
    public bool Found => Endpoint is not null || Peer is not null;

    /// <summary>True when its backend has room by its policy.</summary>
    public bool WithinTarget { get; init; }

    /// <summary>False when the request should wait in the pool until its endpoint has less work outstanding.</summary>
    public bool Ready { get; init; } = true;

    /// <summary>Predicted cost, in milliseconds; 0 where the profile does not predict.</summary>
    public double CostMs { get; init; }

    /// <summary>Predicted work of this prompt there, in milliseconds.</summary>
    public double OwnMs { get; init; }

    /// <summary>The same by the step-time table alone.</summary>
    public double TableMs { get; init; }

    /// <summary>Prompt tokens that the endpoint is believed to hold.</summary>
    public int CachedTokens { get; init; }

    /// <summary>Some endpoint could take it, but every backend is at target.</summary>
    public static Placement Full => new(null, DecisionReason.Saturated);

    /// <summary>No endpoint can take it.</summary>
    public static Placement None(DecisionReason reason) => new(null, reason);
}
