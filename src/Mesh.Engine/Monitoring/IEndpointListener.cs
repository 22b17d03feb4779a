using Mesh.Core.Endpoints;

namespace Mesh.Engine.Monitoring;

/// <summary>Who wants to know what a pool's requests tell of endpoints that are looked after elsewhere. Called on the request path: cheap.</summary>
internal interface IEndpointListener
{
    /// <summary>A request has been sent there.</summary>
    void Placed(EndpointId endpoint);

    /// <summary>A request has failed to reach it.</summary>
    void Suspected(EndpointId endpoint);
}
