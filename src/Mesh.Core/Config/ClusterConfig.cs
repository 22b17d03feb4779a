using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>One cluster of the fleet, from its ClusterProfile.</summary>
public sealed record ClusterConfig
{
    /// <summary>Name, the value of label <c>gke.io/cluster-name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Region, the value of label <c>gke.io/region</c>.</summary>
    public required string Region { get; init; }

    /// <summary>Default zone of its endpoints, the value of label <c>gke.io/zone</c>.</summary>
    public required string Zone { get; init; }

    /// <summary>True for the one cluster whose Gateway, HTTPRoute and policies count.</summary>
    public bool IsConfigCluster { get; init; }

    /// <summary>
    /// Addresses at which the gateway of its region answers the gateways of other regions, by commas; empty where it does not say. Source: annotation
    /// <c>mesh.internal/gateway-url</c>.
    /// </summary>
    public string GatewayUrl { get; init; } = "";

    /// <summary>Name of that gateway; empty means that it is called as its region. Source: annotation <c>mesh.internal/gateway-name</c>.</summary>
    public string GatewayName { get; init; } = "";

    /// <summary>All labels, the implicit ones included.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;
}
