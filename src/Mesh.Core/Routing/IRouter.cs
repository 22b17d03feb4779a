using Mesh.Core.Config;
using Mesh.Core.Leases;

namespace Mesh.Core.Routing;

/// <summary>
/// The port between a gateway and an engine: the embedded engine and the Orleans engine implement it alike.
/// Thread-safe. A placement reserves capacity; every lease that was handed out must be completed exactly once.
/// </summary>
public interface IRouter
{
    /// <summary>Chooses an endpoint and reserves it in one step, or refuses with a reason.</summary>
    /// <param name="request">What is to be placed.</param>
    /// <param name="cancellationToken">Cancelled when the client leaves: a waiting request gives up its place at once.</param>
    ValueTask<RouteDecision> RouteAsync(RouteRequest request, CancellationToken cancellationToken);

    /// <summary>Tells that the first byte of a streamed answer has come: the prompt has been computed. One that comes as a whole needs none.</summary>
    void ReportFirstByte(PoolId pool, LeaseId lease);

    /// <summary>Gives a lease back. Completing twice, or completing an expired lease, has no effect.</summary>
    void Complete(PoolId pool, LeaseId lease, in RequestOutcome outcome);
}
