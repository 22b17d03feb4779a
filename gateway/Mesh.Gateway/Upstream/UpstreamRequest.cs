using Mesh.Core.Endpoints;
using Mesh.Gateway.Inference.RequestBody;

namespace Mesh.Gateway.Upstream;

/// <summary>One request to a model server.</summary>
internal sealed class UpstreamRequest
{
    /// <summary>Where it goes.</summary>
    public required EndpointId Endpoint { get; init; }

    /// <summary>HTTP method.</summary>
    public required string Method { get; init; }

    /// <summary>Path and query as they stand on the request line.</summary>
    public required string Target { get; init; }

    /// <summary>The client's headers; <see cref="HeaderRules.IsForwarded"/> says which of them are sent, unless they are final.</summary>
    public required IHeaderDictionary Headers { get; init; }

    /// <summary>True when every one of <see cref="Headers"/> is sent as it stands there.</summary>
    public bool HeadersAreFinal { get; init; }

    /// <summary>Host header; null sends the endpoint's address.</summary>
    public string? Host { get; init; }

    /// <summary>Asks for a load report beside the answer.</summary>
    public bool AsksForLoad { get; init; }

    /// <summary>Sent as <c>X-Request-Id</c>.</summary>
    public required string RequestId { get; init; }

    /// <summary>Body. A client that may still send it after its call has ended holds a reference.</summary>
    public required PooledBody Body { get; init; }
}
