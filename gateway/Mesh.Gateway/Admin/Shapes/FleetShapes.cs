using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>A region.</summary>
internal sealed record RegionShape
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>True for the region that this gateway serves; true for all where it serves all of them.</summary>
    public required bool Own { get; init; }

    /// <summary><c>own</c>, <c>connecting</c>, <c>reachable</c>, <c>stale</c>, <c>unreachable</c>, <c>refused</c> or <c>direct</c>: one whose endpoints this gateway reaches itself.</summary>
    public required string Link { get; init; }

    /// <summary>Clusters, by name.</summary>
    public required ImmutableArray<string> Clusters { get; init; }

    /// <summary>Endpoints, each pool's counted.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Those that can be sent requests.</summary>
    public required int ReadyEndpoints { get; init; }

    /// <summary>Requests in flight.</summary>
    public required int InFlightRequests { get; init; }

    /// <summary>Requests placed per second, over the last second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Load over target of the fullest backend; absent without a target.</summary>
    public double? Fullness { get; init; }

    /// <summary>Round trip from here in milliseconds; absent for the own region and while unknown.</summary>
    public double? RoundTripMs { get; init; }

    /// <summary>Requests that it lets this region send before its next report; absent where none are handed out.</summary>
    public double? CreditRequests { get; init; }

    /// <summary>Age of its last report in seconds; absent where there is none.</summary>
    public double? ReportAgeSeconds { get; init; }
}

/// <summary>A cluster of the fleet.</summary>
internal sealed record ClusterShape
{
    /// <summary>Name.</summary>
    public required string Name { get; init; }

    /// <summary>Region.</summary>
    public required string Region { get; init; }

    /// <summary>Default zone.</summary>
    public required string Zone { get; init; }

    /// <summary>True for the cluster whose Gateways, routes and policies count.</summary>
    public required bool ConfigCluster { get; init; }

    /// <summary>Labels, the implicit ones included.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }

    /// <summary>Pools with endpoints there.</summary>
    public required ImmutableArray<string> Pools { get; init; }

    /// <summary>Endpoints, each pool's counted.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Those that can be sent requests.</summary>
    public required int ReadyEndpoints { get; init; }

    /// <summary>Requests in flight.</summary>
    public required int InFlightRequests { get; init; }

    /// <summary>Requests placed per second, over the last second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary>Load over target of the fullest backend; absent without a target.</summary>
    public double? Fullness { get; init; }
}

/// <summary>An objective.</summary>
/// <param name="Namespace">Namespace.</param>
/// <param name="Name">Name.</param>
/// <param name="Priority">Higher is served first.</param>
/// <param name="Pool">Pool that it is meant for: <c>namespace/name</c>.</param>
/// <param name="PoolExists">False when no such pool is configured.</param>
/// <param name="QueuedRequests">Requests of its priority that wait in that pool.</param>
internal sealed record ObjectiveShape(string Namespace, string Name, int Priority, string Pool, bool PoolExists, int QueuedRequests);

/// <summary>Requests from this gateway to a cluster, by why they were sent there; or to the gateway of a peer region.</summary>
/// <param name="Pool">Pool; empty for what went to a peer, which is counted over all pools.</param>
/// <param name="From">Region that this gateway serves; empty for all.</param>
/// <param name="Region">Region that they went to.</param>
/// <param name="Cluster">Cluster that they went to; empty for a peer, which chooses it.</param>
/// <param name="Reason">Reason of the decision; <c>overflow</c> for what was not sent to the first choice.</param>
/// <param name="Overflow">True where nearer or preferred backends were full or unhealthy.</param>
/// <param name="RequestsPerSecond">Over the last seconds.</param>
/// <param name="Total">Since the start.</param>
internal sealed record FlowShape(string Pool, string From, string Region, string Cluster, string Reason, bool Overflow, double RequestsPerSecond, long Total);
