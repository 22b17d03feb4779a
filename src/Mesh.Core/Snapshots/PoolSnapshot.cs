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

    /// <summary>Waiting requests by priority, highest first.</summary>
    public ImmutableArray<QueueBandSnapshot> Queue { get; init; } = [];
}

/// <summary>Waiting requests of one priority.</summary>
/// <param name="Priority">Priority.</param>
/// <param name="Requests">How many wait.</param>
/// <param name="Flows">Over how many fairness ids.</param>
public sealed record QueueBandSnapshot(int Priority, int Requests, int Flows);
