using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Upstream;

/// <summary>One request to a model server. Reused between the attempts of one client request; not thread-safe.</summary>
internal sealed class UpstreamRequest
{
    /// <summary>Where it goes.</summary>
    public EndpointId Endpoint { get; set; }

    /// <summary>HTTP method.</summary>
    public required string Method { get; init; }

    /// <summary>Path and query as they stand on the request line.</summary>
    public required string Target { get; init; }

    /// <summary>The client's headers; <see cref="HeaderRules.IsForwarded"/> says which of them are sent.</summary>
    public required IHeaderDictionary ClientHeaders { get; init; }

    /// <summary>Sent as <c>X-Request-Id</c>.</summary>
    public required string RequestId { get; init; }

    /// <summary>Body. A client that may still send it after its call has ended holds a reference.</summary>
    public required PooledBody Body { get; init; }
}
