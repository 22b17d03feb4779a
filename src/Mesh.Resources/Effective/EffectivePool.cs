using System.Collections.Immutable;
using Mesh.Core.Config;

namespace Mesh.Resources.Effective;

/// <summary>What holds for one pool and each of its backends, with the place where everything was taken from.</summary>
public sealed record EffectivePool
{
    /// <summary>The pool.</summary>
    public required PoolId Id { get; init; }

    /// <summary><c>namespace/name</c> of the GCPBackendPolicy attached to it; null without one.</summary>
    public string? BackendPolicy { get; init; }

    /// <summary>Number of scopes of that GCPBackendPolicy.</summary>
    public int ScopeCount { get; init; }

    /// <summary><c>namespace/name</c> of the HealthCheckPolicy attached to it; null without one.</summary>
    public string? HealthCheckPolicy { get; init; }

    /// <summary><c>namespace/name</c> of the GCPTrafficDistributionPolicy attached to it; null without one.</summary>
    public string? TrafficDistributionPolicy { get; init; }

    /// <summary><c>namespace/name</c> of the FlowControlPolicy attached to it; null without one.</summary>
    public string? FlowControlPolicy { get; init; }

    /// <summary><c>namespace/name</c> of the KvEventsPolicy attached to it; null without one.</summary>
    public string? KvEventsPolicy { get; init; }

    /// <summary><c>namespace/name</c> of the SchedulingProfile attached to it; null without one.</summary>
    public string? SchedulingProfile { get; init; }

    /// <summary>Settings of the whole pool, in a fixed order.</summary>
    public ImmutableArray<EffectiveSetting> Settings { get; init; } = [];

    /// <summary>Backends ordered by id.</summary>
    public ImmutableArray<EffectiveBackend> Backends { get; init; } = [];
}

/// <summary>What holds for one backend.</summary>
public sealed record EffectiveBackend
{
    /// <summary>Cluster, zone and port.</summary>
    public required BackendId Id { get; init; }

    /// <summary>Region of the cluster.</summary>
    public required string Region { get; init; }

    /// <summary>Labels that scopes select by, the implicit ones included.</summary>
    public required ImmutableSortedDictionary<string, string> Labels { get; init; }

    /// <summary>Number of endpoints: N of the capacity formula.</summary>
    public int EndpointCount { get; init; }

    /// <summary>Index of the scope that holds, from 0; null where none matches.</summary>
    public int? Scope { get; init; }

    /// <summary>Policy, selector and place of the scope that holds; null where none matches.</summary>
    public SettingOrigin? ScopeOrigin { get; init; }

    /// <summary>Settings in a fixed order.</summary>
    public ImmutableArray<EffectiveSetting> Settings { get; init; } = [];

    /// <summary>Targets by formula; empty means that no target is set. The first that is reached makes the backend full.</summary>
    public ImmutableArray<CapacityTarget> Capacity { get; init; } = [];
}

/// <summary>One target of a backend.</summary>
/// <param name="Measure">What is measured, for example <c>requests per second</c> or <c>average of kv-cache</c>.</param>
/// <param name="Formula">The formula with its numbers, for example <c>4 endpoints × 40 × 50%</c>.</param>
/// <param name="Value">Its result.</param>
/// <param name="DryRun">Measured and shown, never used.</param>
public sealed record CapacityTarget(string Measure, string Formula, double Value, bool DryRun = false)
{
    /// <summary><c>requests per second: 4 endpoints × 40 × 50% = 80</c>.</summary>
    public override string ToString() =>
        string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{Measure}: {Formula} = {Value:0.######}{(DryRun ? " (dry run)" : "")}");
}
