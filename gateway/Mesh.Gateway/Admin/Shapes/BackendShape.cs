using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>A backend: a pool's endpoints in one zone of one cluster, on one port.</summary>
internal sealed record BackendShape
{
    /// <summary><c>cluster/zone:port</c>.</summary>
    public required string Id { get; init; }

    /// <summary>Pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Region of its cluster.</summary>
    public required string Region { get; init; }

    /// <summary>Cluster.</summary>
    public required string Cluster { get; init; }

    /// <summary>Zone.</summary>
    public required string Zone { get; init; }

    /// <summary>Target port.</summary>
    public required int Port { get; init; }

    /// <summary>Endpoints, draining ones included.</summary>
    public required int Endpoints { get; init; }

    /// <summary>Those whose probes succeed.</summary>
    public required int HealthyEndpoints { get; init; }

    /// <summary>Those that can be sent requests.</summary>
    public required int ReadyEndpoints { get; init; }

    /// <summary>Requests in flight.</summary>
    public required int InFlightRequests { get; init; }

    /// <summary>Requests that wait in the pool for an endpoint of it.</summary>
    public required int WaitingRequests { get; init; }

    /// <summary>Requests placed per second, over the last second.</summary>
    public required double RequestsPerSecond { get; init; }

    /// <summary><c>RATE</c>, <c>IN_FLIGHT</c>, <c>CUSTOM_METRICS</c> or <c>UTILIZATION</c>; absent without a target.</summary>
    public string? Mode { get; init; }

    /// <summary><c>PREFERRED</c> or <c>DEFAULT</c>.</summary>
    public required string Preference { get; init; }

    /// <summary>Multiplier of the target, 0–1; 0 drains.</summary>
    public required double CapacityScaler { get; init; }

    /// <summary>Target of requests per second; absent without one.</summary>
    public double? TargetRequestsPerSecond { get; init; }

    /// <summary>Target of concurrent requests; absent without one.</summary>
    public double? TargetInFlightRequests { get; init; }

    /// <summary>Target of the endpoints' own utilization, 0–1; absent without one.</summary>
    public double? TargetUtilizationRatio { get; init; }

    /// <summary>Load over target, 1 at target; absent without a target and while unknown.</summary>
    public double? Fullness { get; init; }

    /// <summary>Custom metrics of the policy.</summary>
    public required ImmutableArray<UtilizationShape> Utilizations { get; init; }

    /// <summary>Mean KV-cache utilization of endpoints that tell it, 0–1; absent when none does.</summary>
    public double? KvUtilizationRatio { get; init; }

    /// <summary>True while auto-capacity drain keeps new requests away.</summary>
    public required bool Drained { get; init; }

    /// <summary>Time to the first token of streams over the last minute; absent without any.</summary>
    public PercentilesShape? TimeToFirstToken { get; init; }

    /// <summary>Time per output token over the last minute; absent without any.</summary>
    public PercentilesShape? TimePerOutputToken { get; init; }

    /// <summary>Targets by formula; absent when there are no manifests.</summary>
    public ImmutableArray<CapacityShape>? Capacity { get; init; }

    /// <summary>The policy's scope that holds, as text; absent where none matches.</summary>
    public string? Scope { get; init; }

    /// <summary>Settings and where they are written; only of a single pool.</summary>
    public ImmutableArray<SettingShape>? Settings { get; init; }
}

/// <summary>A custom metric of a policy.</summary>
/// <param name="Metric">Exported name.</param>
/// <param name="ValueRatio">Mean over the endpoints that report it; absent while unknown.</param>
/// <param name="TargetRatio">Target, 0–1.</param>
/// <param name="DryRun">Measured and shown, never used.</param>
internal sealed record UtilizationShape(string Metric, double? ValueRatio, double TargetRatio, bool DryRun);

/// <summary>A target of a backend.</summary>
/// <param name="Measure">What is measured.</param>
/// <param name="Formula">The formula with its numbers.</param>
/// <param name="Value">Its result.</param>
/// <param name="DryRun">Measured and shown, never used.</param>
internal sealed record CapacityShape(string Measure, string Formula, double Value, bool DryRun);
