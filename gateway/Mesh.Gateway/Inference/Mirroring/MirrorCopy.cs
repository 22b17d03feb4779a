using Mesh.Core.Endpoints;
using Mesh.Core.Routing;
using Mesh.Gateway.Hosting;
using Mesh.Gateway.Inference.Filters;
using Mesh.Gateway.Inference.RequestBody;
using Mesh.Gateway.Upstream;

namespace Mesh.Gateway.Inference.Mirroring;

/// <summary>A request on its way to a mirror, apart from the one it is a copy of.</summary>
internal sealed class MirrorCopy
{
    /// <summary>Longest time of a copy, whatever its pool allows.</summary>
    public static readonly TimeSpan MaxTime = TimeSpan.FromHours(1);

    public required PoolEntry Pool { get; init; }

    public required RouteRequest Route { get; init; }

    public required string Method { get; init; }

    public required string Target { get; init; }

    public required string? Host { get; init; }

    /// <summary>Headers of its own, as they are sent.</summary>
    public required HeaderDictionary Headers { get; init; }

    /// <summary>Bytes that the copy counts for while it is under way.</summary>
    public required int HeldBytes { get; init; }

    /// <summary>The body, with a reference of the copy's.</summary>
    public required PooledBody Body { get; init; }

    public UpstreamRequest RequestTo(EndpointId endpoint, UpstreamKeys keys) => new()
    {
        Endpoint = endpoint,
        Method = Method,
        Target = Target,
        Headers = UpstreamRequests.Authorized(Headers, keys.AuthorizationFor(Pool, endpoint)),
        HeadersAreFinal = true,
        Host = Host,
        RequestId = Route.RequestId,
        Body = Body,
    };
}
