namespace Mesh.Engine.KvEvents.Subscription;

/// <summary>What has happened in a subscription since it began.</summary>
public sealed record KvEventCounters
{
    /// <summary>Batches given to the sink.</summary>
    public long Batches { get; init; }

    /// <summary>Of these, those that came by replay.</summary>
    public long ReplayedBatches { get; init; }

    /// <summary>Events of stored blocks.</summary>
    public long StoredEvents { get; init; }

    /// <summary>Events of removed blocks.</summary>
    public long RemovedEvents { get; init; }

    /// <summary>Events of a whole cache cleared.</summary>
    public long ClearedEvents { get; init; }

    /// <summary>Events of a type not known here, skipped.</summary>
    public long UnknownEvents { get; init; }

    /// <summary>Batches that could not be read.</summary>
    public long UndecodableBatches { get; init; }

    /// <summary>Messages that do not have the three frames topic, sequence, payload.</summary>
    public long MalformedMessages { get; init; }

    /// <summary>Batches that came twice, by replay and live; the second was dropped.</summary>
    public long DuplicateBatches { get; init; }

    /// <summary>Live batches dropped because too many were held back; they were replayed later.</summary>
    public long RefusedBatches { get; init; }

    /// <summary>Gaps seen in the live sequence.</summary>
    public long Gaps { get; init; }

    /// <summary>Replays begun, checks of a silent publisher included.</summary>
    public long Replays { get; init; }

    /// <summary>Replays that broke off.</summary>
    public long FailedReplays { get; init; }

    /// <summary>Times that the sink was told to forget.</summary>
    public long Resets { get; init; }

    /// <summary>Connections that stood.</summary>
    public long Connections { get; init; }

    /// <summary>Changes of state.</summary>
    public long StateChanges { get; init; }
}

/// <summary>A subscription at one moment.</summary>
/// <param name="Source">Where the events come from.</param>
/// <param name="Knowledge">How far the sink's knowledge can be relied upon.</param>
/// <param name="Reason">Why it is in that state.</param>
/// <param name="Since">Since when.</param>
/// <param name="IsComplete">True if the sink was told everything since the publisher's first batch; false if the oldest part was out of reach.</param>
/// <param name="NextSequence">The sequence number expected next.</param>
/// <param name="Counters">What has happened so far.</param>
public sealed record KvSubscriptionStatus(
    KvEventSource Source, KvKnowledge Knowledge, string Reason, DateTimeOffset Since, bool IsComplete, ulong NextSequence, KvEventCounters Counters);
