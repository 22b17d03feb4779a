using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;

namespace Mesh.Core.Routing;

/// <summary>One decision and what was known when the request came. Immutable.</summary>
public sealed record ExplainedDecision
{
    /// <summary>The request's id.</summary>
    public required string RequestId { get; init; }

    /// <summary>When the request came: <see cref="TimeProvider.GetTimestamp"/> of the host's clock.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Send or refuse; wait while the request still does.</summary>
    public required RouteKind Kind { get; init; }

    /// <summary>Why.</summary>
    public required DecisionReason Reason { get; init; }

    /// <summary>Chosen endpoint; default when there is none.</summary>
    public EndpointId Endpoint { get; init; }

    /// <summary>Its backend; default when there is none.</summary>
    public BackendId Backend { get; init; }

    /// <summary>How long the request waited in the pool; so far, while it still does.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Number of the wait; 0 when it was decided at once.</summary>
    public long Ticket { get; init; }

    /// <summary>Endpoints that passed every filter when the request came, before tiers and targets narrowed them.</summary>
    public int CandidateCount { get; init; }

    /// <summary>The cheapest of them, at most five, the cheapest first; empty where the profile does not predict costs.</summary>
    public ImmutableArray<ExplainedCandidate> Candidates { get; init; } = [];
}

/// <summary>An endpoint as a request saw it. Times in milliseconds.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="CostMs">Predicted cost; the lowest wins, but for what waits in the pool.</param>
/// <param name="WaitMs">Until the prompt would begin to be computed there.</param>
/// <param name="QueuedMs">Prompt work that waits in the pool for it.</param>
/// <param name="OwnMs">This prompt's uncached part there.</param>
/// <param name="CachedTokens">Prompt tokens that it is believed to hold.</param>
/// <param name="DecodeMs">What one more stream costs there.</param>
/// <param name="RoundTripMs">Round trip from the deciding gateway.</param>
public readonly record struct ExplainedCandidate(
    EndpointId Endpoint, double CostMs, double WaitMs, double QueuedMs, double OwnMs, int CachedTokens, double DecodeMs, double RoundTripMs);
