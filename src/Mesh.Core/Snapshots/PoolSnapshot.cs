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

    /// <summary>How far predictions of the time to the first token were off.</summary>
    public PredictionSnapshot FirstTokenPredictions { get; init; }

    /// <summary>How far predictions of the time per output token were off.</summary>
    public PredictionSnapshot OutputTokenPredictions { get; init; }

    /// <summary>Waiting requests by priority, highest first.</summary>
    public ImmutableArray<QueueBandSnapshot> Queue { get; init; } = [];
}

/// <summary>Waiting requests of one priority.</summary>
/// <param name="Priority">Priority.</param>
/// <param name="Requests">How many wait.</param>
/// <param name="Flows">Over how many fairness ids.</param>
public sealed record QueueBandSnapshot(int Priority, int Requests, int Flows)
{
    /// <summary>How long the one that came first has waited.</summary>
    public TimeSpan OldestWait { get; init; }
}

/// <summary>Predictions of a time since the start.</summary>
/// <param name="Count">Predictions that came to an end.</param>
/// <param name="ObservedMs">Sum of what was observed, in milliseconds.</param>
/// <param name="AbsoluteErrorMs">Sum of |observed − predicted|, in milliseconds.</param>
public readonly record struct PredictionSnapshot(long Count, double ObservedMs, double AbsoluteErrorMs);
