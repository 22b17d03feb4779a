using Mesh.Core.Endpoints;

namespace Mesh.Core.Routing;

/// <summary>Where a request could go.</summary>
/// <param name="Endpoint">The endpoint; null when there is none, or none below target.</param>
/// <param name="Reason">Why, or why not.</param>
/// <param name="WithinTarget">True when its backend has room by its policy.</param>
internal readonly record struct Placement(EndpointState? Endpoint, DecisionReason Reason, bool WithinTarget)
{
    /// <summary>Some endpoint could take it, but every backend is at target.</summary>
    public static Placement Full => new(null, DecisionReason.Saturated, false);

    /// <summary>No endpoint can take it.</summary>
    public static Placement None(DecisionReason reason) => new(null, reason, false);
}
