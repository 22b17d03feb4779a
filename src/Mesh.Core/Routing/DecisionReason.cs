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
}
