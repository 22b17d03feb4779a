using System.Collections.Immutable;

namespace Mesh.Gateway.Admin.Shapes;

/// <summary>The last quarter of an hour. Each series has a value for each step, the oldest first; null where it was not known.</summary>
internal sealed record HistoryShape
{
    /// <summary>Seconds between two values.</summary>
    public required double StepSeconds { get; init; }

    /// <summary>Number of the last step; the next question may ask for what came after it.</summary>
    public required long Last { get; init; }

    /// <summary>Time of the last step.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Series by backend.</summary>
    public required ImmutableArray<BackendHistoryShape> Backends { get; init; }
}

/// <summary>Series of one backend of a pool.</summary>
internal sealed record BackendHistoryShape
{
    /// <summary>Pool.</summary>
    public required string Pool { get; init; }

    /// <summary>Backend; empty for the pool's queue as a whole, which only has <see cref="QueuedRequests"/>.</summary>
    public required string Backend { get; init; }

    /// <summary>Requests in flight.</summary>
    public required ImmutableArray<double?> InFlightRequests { get; init; }

    /// <summary>Requests per second.</summary>
    public required ImmutableArray<double?> RequestsPerSecond { get; init; }

    /// <summary>Load over target.</summary>
    public required ImmutableArray<double?> Fullness { get; init; }

    /// <summary>Requests that wait: for the backend, or in the whole pool.</summary>
    public required ImmutableArray<double?> QueuedRequests { get; init; }

    /// <summary>Median time to the first token over 15 s, in milliseconds.</summary>
    public required ImmutableArray<double?> FirstTokenP50Ms { get; init; }

    /// <summary>95th percentile of it.</summary>
    public required ImmutableArray<double?> FirstTokenP95Ms { get; init; }

    /// <summary>Median time per output token over 15 s, in milliseconds.</summary>
    public required ImmutableArray<double?> OutputTokenP50Ms { get; init; }

    /// <summary>95th percentile of it.</summary>
    public required ImmutableArray<double?> OutputTokenP95Ms { get; init; }
}
