namespace Mesh.Core.FlowControl;

/// <summary>What happens to a request when every backend of its pool is at target.</summary>
public sealed record FlowControlSettings
{
    /// <summary>For requests of priority 0 and above; negative priority is always shed.</summary>
    public WhenFull WhenFull { get; init; }

    /// <summary>Requests that may wait at a time, 1–1,000,000.</summary>
    public int MaxWaitingRequests { get; init; } = 10_000;

    /// <summary>Request bodies that may wait at a time, in bytes, at least 1.</summary>
    public long MaxWaitingBytes { get; init; } = 1L << 30;

    /// <summary>Longest wait; the request's own time-out ends it sooner.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Order inside a flow.</summary>
    public QueueOrder Order { get; init; }
}

/// <summary>Choice for a full pool.</summary>
public enum WhenFull
{
    /// <summary>Send it all the same, in proportion to capacity.</summary>
    Overfill,

    /// <summary>Let it wait, by priority and fairly between flows.</summary>
    Queue,

    /// <summary>Refuse it with 429 and a time to come back.</summary>
    Shed,
}

/// <summary>Order of waiting requests inside one flow.</summary>
public enum QueueOrder
{
    /// <summary>Least prompt still to compute first, aged so that long prompts get their turn.</summary>
    Shortest,

    /// <summary>First come, first served.</summary>
    Fcfs,
}
