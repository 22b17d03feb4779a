using System.Collections.Immutable;
using Mesh.Core.Endpoints;

namespace Mesh.Core.Config;

/// <summary>One endpoint as the manifests declare it.</summary>
public sealed record EndpointConfig
{
    /// <summary><c>ip:port</c>.</summary>
    public required EndpointId Id { get; init; }

    /// <summary>Name of the pod, or of the address in its EndpointSlice; for people.</summary>
    public required string PodName { get; init; }

    /// <summary>Pages of metrics to scrape for it; empty means the default vLLM page on its own port.</summary>
    public ImmutableArray<MetricsPageConfig> MetricsPages { get; init; } = [];

    /// <summary>True while an operator drains it: it is probed and shown as before, counts for no target and gets no new requests.</summary>
    public bool Drained { get; init; }
}
