namespace Mesh.Core.Routing;

/// <summary>Why a decision came out as it did. Names are stable: they appear in headers, metrics and logs in snake case.</summary>
public enum DecisionReason
{
    /// <summary>Not set.</summary>
    None,

    /// <summary>Best score among the candidates.</summary>
    BestScore,

    /// <summary>No candidate but this one.</summary>
    OnlyCandidate,

    /// <summary>The pool is not configured.</summary>
    UnknownPool,

    /// <summary>The pool has no endpoints.</summary>
    NoEndpoints,

    /// <summary>The pool has endpoints, but none is healthy and allowed.</summary>
    NoReadyEndpoint,

    /// <summary>Every endpoint that tells its models lacks this one.</summary>
    UnknownModel,

    /// <summary>Every endpoint left has already failed this request.</summary>
    AllAttemptsFailed,

    /// <summary>The pool holds as many leases, or knows as many gateway sessions, as it may. Passes as requests end.</summary>
    TooManyLeases,

    /// <summary>Least predicted cost.</summary>
    LeastCost,

    /// <summary>Every backend of a nearer or preferred tier is at target.</summary>
    Overflow,

    /// <summary>Every backend is at target; this one is the least overfull.</summary>
    Overfill,

    /// <summary>Only backends that auto-capacity drain had emptied are left.</summary>
    LastResort,

    /// <summary>The session's own endpoint.</summary>
    SessionAffinity,

    /// <summary>Every backend is at target, and the pool does not let requests wait.</summary>
    Saturated,

    /// <summary>Every backend is at target, and a negative priority does not wait.</summary>
    PriorityShed,

    /// <summary>Every backend is at target, and no more requests may wait.</summary>
    QueueFull,

    /// <summary>Gave up its place in the full queue to a request of higher priority.</summary>
    QueueEvicted,

    /// <summary>Waited as long as the pool allows.</summary>
    QueueTimeout,

    /// <summary>Waits in the queue.</summary>
    Waiting,

    /// <summary>Came from a peer region, and no backend here has room for it.</summary>
    PeerFull,

    /// <summary>Was sent on more than once between regions.</summary>
    TooManyHops,

    /// <summary>Nobody who places requests of the pool can be reached, and what was last known of it is too old to go by.</summary>
    EngineUnreachable,
}
