using System.Collections.Immutable;

namespace Mesh.Core.Config;

/// <summary>The endpoints of one pool in one (cluster, zone, port), with the policy settings in effect there.</summary>
public sealed record BackendConfig
{
    /// <summary>Cluster, zone and port.</summary>
    public required BackendId Id { get; init; }

    /// <summary>Region of the cluster.</summary>
    public required string Region { get; init; }

    /// <summary>Settings after scope resolution.</summary>
    public BackendSettings Settings { get; init; } = new();

    /// <summary>Endpoints ordered by address.</summary>
    public ImmutableArray<EndpointConfig> Endpoints { get; init; } = [];
}
