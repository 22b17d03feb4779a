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

    /// <summary>Settings in effect.</summary>
    public BackendSettings Settings { get; init; } = new();

    /// <summary>Healthy endpoints.</summary>
    public int HealthyEndpoints { get; init; }

    /// <summary>Requests in flight.</summary>
    public int InFlightRequests { get; init; }

    /// <summary>Requests placed per second, over the last second.</summary>
    public double RequestsPerSecond { get; init; }

    /// <summary>N·X·s in requests per second; null without such a target.</summary>
    public double? TargetRatePerSecond { get; init; }

    /// <summary>N·X·s in concurrent requests; null without such a target.</summary>
    public double? TargetInFlight { get; init; }

    /// <summary>Load over target, 1 being at target; null without a target, with one of 0 (scaled to 0, or every endpoint drained), or while its load is unknown.</summary>
    public double? Fullness { get; init; }

    /// <summary>Mean of each custom metric over the endpoints that report it, in the policy's order; null where unknown.</summary>
    public ImmutableArray<double?> Utilizations { get; init; } = [];

    /// <summary>True while auto-capacity drain keeps new requests away.</summary>
    public bool Drained { get; init; }
}
