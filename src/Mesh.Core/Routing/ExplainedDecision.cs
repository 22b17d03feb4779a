using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Regions.Links;

namespace Mesh.Core.Routing;

/// <summary>One decision and what was known when the request came. Immutable.</summary>
public sealed record ExplainedDecision
{
    /// <summary>The request's id.</summary>
    public required string RequestId { get; init; }

    /// <summary>Pool that was asked.</summary>
    public PoolId Pool { get; init; }

    /// <summary>When the request came: <see cref="TimeProvider.GetTimestamp"/> of the host's clock.</summary>
    public required long Timestamp { get; init; }

    /// <summary>Send or refuse; wait while the request still does.</summary>
    public required RouteKind Kind { get; init; }

    /// <summary>Why; <see cref="DecisionReason.None"/> when the client left before it was decided.</summary>
    public required DecisionReason Reason { get; init; }

    /// <summary>Chosen endpoint; default when there is none.</summary>
    public EndpointId Endpoint { get; init; }

    /// <summary>Its backend; default when there is none.</summary>
    public BackendId Backend { get; init; }

    /// <summary>How long the request waited in the pool; so far, while it still does.</summary>
    public TimeSpan Waited { get; init; }

    /// <summary>Number of the wait; 0 when it was decided at once.</summary>
    public long Ticket { get; init; }

    /// <summary>Endpoint that it began to wait for, because that had work outstanding; default when it did not wait, or waited for any backend below target.</summary>
    public EndpointId WaitsFor { get; init; }

    /// <summary>Model as the request named it; null when it named none.</summary>
    public string? Model { get; init; }

    /// <summary>Priority of the request.</summary>
    public int Priority { get; init; }

    /// <summary>Prompt length in tokens, as estimated.</summary>
    public int PromptTokens { get; init; }

    /// <summary>Endpoints that had failed the request before: 0 for its first attempt.</summary>
    public int FailedBefore { get; init; }

    /// <summary>Profile that decided.</summary>
    public string Profile { get; init; } = "";

    /// <summary>Requests that waited in the pool when this one came.</summary>
    public int WaitingRequests { get; init; }

    /// <summary>Endpoints that passed every filter when the request came, before tiers and targets narrowed them.</summary>
    public int CandidateCount { get; init; }

    /// <summary>The best of them, five and the chosen one at most: the cheapest first where the profile predicts costs, else the highest score first.</summary>
    public ImmutableArray<ExplainedCandidate> Candidates { get; init; } = [];

    /// <summary>How many endpoints each filter removed, in the order of the filters; those that removed none are left out.</summary>
    public ImmutableArray<RemovalCount> RemovedBy { get; init; } = [];

    /// <summary>Endpoints that were removed, the first 16 in the order of removal.</summary>
    public ImmutableArray<RemovedEndpoint> Removed { get; init; } = [];

    /// <summary>The pool's backends, at most 32, in the order of their ids.</summary>
    public ImmutableArray<ExplainedBackend> Backends { get; init; } = [];

    /// <summary>Peer region that the request was forwarded to; null when it was not.</summary>
    public string? Region { get; init; }

    /// <summary>Peer region that it came from; null for a client's own.</summary>
    public string? OriginRegion { get; init; }

    /// <summary>Peer regions as the request saw them, ordered by name.</summary>
    public ImmutableArray<ExplainedRegion> Regions { get; init; } = [];
}

/// <summary>An endpoint as a request saw it. Times in milliseconds.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="CostMs">Predicted cost; the lowest wins, but for what waits in the pool; 0 where the profile does not choose by cost.</param>
/// <param name="WaitMs">Until the prompt would begin to be computed there.</param>
/// <param name="QueuedMs">Prompt work that waits in the pool for it.</param>
/// <param name="OwnMs">This prompt's uncached part there.</param>
/// <param name="CachedTokens">Prompt tokens that it is believed to hold.</param>
/// <param name="DecodeMs">What one more stream costs there.</param>
/// <param name="RoundTripMs">Round trip from the deciding gateway.</param>
public readonly record struct ExplainedCandidate(
    EndpointId Endpoint, double CostMs, double WaitMs, double QueuedMs, double OwnMs, int CachedTokens, double DecodeMs, double RoundTripMs)
{
    /// <summary>Its backend.</summary>
    public BackendId Backend { get; init; }

    /// <summary>Weighted sum of the scores; null where the profile has no scorers.</summary>
    public double? Score { get; init; }

    /// <summary>Each scorer's part; default or empty where the profile has no scorers.</summary>
    public ImmutableArray<ExplainedScore> Scores { get; init; }

    /// <summary>Predicted time to the first token: wait + queued + own + round trip.</summary>
    public double PredictedTtftMs { get; init; }

    /// <summary>Predicted time per output token with one stream more.</summary>
    public double PredictedTpotMs { get; init; }

    /// <summary>Requests in flight there.</summary>
    public int InFlightRequests { get; init; }

    /// <summary>Share of its KV cache in use, 0–1; null when unknown or stale.</summary>
    public double? KvUtilizationRatio { get; init; }
}

/// <summary>A scorer's part in a candidate's score.</summary>
/// <param name="Scorer">Name of the scorer.</param>
/// <param name="Score">Its score, 0–1.</param>
/// <param name="Weight">By which it counts.</param>
public readonly record struct ExplainedScore(string Scorer, double Score, double Weight);

/// <summary>An endpoint that a filter removed.</summary>
/// <param name="Endpoint">The endpoint.</param>
/// <param name="Filter">Name of the filter; <see cref="BackendClosed"/> where the policy closes the whole backend.</param>
public readonly record struct RemovedEndpoint(EndpointId Endpoint, string Filter)
{
    /// <summary>Stands for a filter where a backend is scaled to 0 or drained.</summary>
    public const string BackendClosed = "backend-closed";
}

/// <summary>How many endpoints a filter removed.</summary>
/// <param name="Filter">Name of the filter.</param>
/// <param name="Count">Endpoints, at least 1.</param>
public readonly record struct RemovalCount(string Filter, int Count);

/// <summary>A backend as a request saw it.</summary>
/// <param name="Backend">Cluster, zone and port.</param>
/// <param name="Fullness">Load over target: 1 is at target; null without a target, or while its load is unknown.</param>
/// <param name="InFlight">Requests sent there or waiting for an endpoint of it.</param>
/// <param name="Healthy">Healthy endpoints.</param>
/// <param name="Endpoints">All of its endpoints.</param>
/// <param name="Open">False when it is scaled to 0 or drained.</param>
public readonly record struct ExplainedBackend(BackendId Backend, double? Fullness, int InFlight, int Healthy, int Endpoints, bool Open);

/// <summary>A peer region as a request saw it. Times in milliseconds.</summary>
/// <param name="Region">The peer.</param>
/// <param name="State">How far it can be relied upon.</param>
/// <param name="RoundTripMs">Round trip; infinite when never measured.</param>
/// <param name="Credits">Requests that could still be sent there; below 1 none could.</param>
/// <param name="Fullness">Load over target, what was sent since the report included; null without a target.</param>
/// <param name="CostMs">Predicted cost there, round trip included; infinite when unknown.</param>
/// <param name="CachedTokens">Prompt tokens that it is believed to hold.</param>
/// <param name="Excluded">Why it could not be chosen; null when it could.</param>
public readonly record struct ExplainedRegion(
    string Region, PeerLinkState State, double RoundTripMs, double Credits, double? Fullness, double CostMs, int CachedTokens, string? Excluded);
