using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Core.Snapshots;

/// <summary>State of one pool at one moment, for people, dashboards and tests. Immutable.</summary>
public sealed record PoolSnapshot
{
    /// <summary>The import.</summary>
    public required PoolId Id { get; init; }

    /// <summary>Backends ordered by id.</summary>
    public ImmutableArray<BackendSnapshot> Backends { get; init; } = [];

    /// <summary>Leases outstanding; equals the sum of the endpoints' in-flight requests.</summary>
    public int Leases { get; init; }
}
