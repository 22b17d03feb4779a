using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.Snapshots;

/// <summary>State of one backend.</summary>
public sealed record BackendSnapshot
{
    /// <summary>Cluster, zone and port.</summary>
    public required BackendId Id { get; init; }

    /// <summary>Region of its cluster.</summary>
    public required string Region { get; init; }

    /// <summary>Endpoints ordered by address.</summary>
    public ImmutableArray<EndpointSnapshot> Endpoints { get; init; } = [];
}
