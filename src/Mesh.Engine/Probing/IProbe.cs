using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Engine.Http;

namespace Mesh.Engine.Probing;

/// <summary>One way of asking an endpoint whether it works.</summary>
internal interface IProbe
{
    /// <summary>
    /// Asks once. The result has no kind when the endpoint answered as the check asks. May throw what a request or connection throws; the
    /// caller sorts that, and bounds the time by the token.
    /// </summary>
    Task<IoFailure> AskAsync(EndpointId endpoint, HealthCheckConfig check, CancellationToken cancellationToken);
}
