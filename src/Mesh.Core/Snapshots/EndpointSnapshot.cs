using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.PrefixCache.Exact;

namespace Mesh.Core.Snapshots;

/// <summary>State of one endpoint.</summary>
public sealed record EndpointSnapshot
{
    /// <summary><c>ip:port</c>.</summary>
    public required EndpointId Id { get; init; }

    /// <summary>Pod name.</summary>
    public required string PodName { get; init; }

    /// <summary>What the prober says; unhealthy while the engine sleeps (<see cref="EndpointSample.IsAsleep"/> of the last sample).</summary>
    public EndpointHealth Health { get; init; }

    /// <summary>Requests in flight, exact.</summary>
    public int InFlightRequests { get; init; }

    /// <summary>Prompt and expected output tokens of the requests in flight.</summary>
    public long InFlightTokens { get; init; }

    /// <summary>Requests ever sent there since this pool state began.</summary>
    public long TotalRequests { get; init; }

    /// <summary>Prompt tokens of the requests in flight that have not answered yet.</summary>
    public long InFlightPrefillTokens { get; init; }

    /// <summary>Requests in flight that recent failures are counted as; 0 when there were none lately.</summary>
    public double FailureLoadRequests { get; init; }

    /// <summary>Until when it is left alone for failing requests: <see cref="TimeProvider.GetTimestamp"/> of the host's clock; null while it is not.</summary>
    public long? EjectedUntil { get; init; }

    /// <summary>How often it was ejected since this pool state began.</summary>
    public int Ejections { get; init; }

    /// <summary>How far its share of the requests has risen while it starts slowly, 0.1–1; 1 when it does not start.</summary>
    public double Ramp { get; init; } = 1;

    /// <summary>True when the configuration no longer names it: it finishes its requests and gets no new ones.</summary>
    public bool Draining { get; init; }

    /// <summary>True while an operator drains it: it finishes its requests and gets no new ones, and is probed as before.</summary>
    public bool Drained { get; init; }

    /// <summary>Models that the endpoint lists; default means not known yet.</summary>
    public ImmutableArray<string> Models { get; init; }

    /// <summary>Last sample, however old; null before the first.</summary>
    public EndpointSample? LastSample { get; init; }

    /// <summary>Age of the last sample; null before the first.</summary>
    public TimeSpan? SampleAge { get; init; }

    /// <summary>Requests that wait in the pool for this endpoint.</summary>
    public int WaitingRequests { get; init; }

    /// <summary>Predicted work of the prompts that wait in the pool for it, in milliseconds; 0 when none does.</summary>
    public double WaitingPromptMs { get; init; }

    /// <summary>Predicted time until a prompt sent now would begin to be computed, in milliseconds.</summary>
    public double PredictedWaitMs { get; init; }

    /// <summary>Where what is known of its cache comes from.</summary>
    public CacheKnowledge CacheKnowledge { get; init; }

    /// <summary>How often that has changed since this pool state began.</summary>
    public long CacheKnowledgeChanges { get; init; }

    /// <summary>Blocks that it holds by its cache events, those of all its ranks; 0 without events.</summary>
    public int CachedBlocks { get; init; }

    /// <summary>Learned: its prompt times over the step-time table's; 1 before anything is learned.</summary>
    public double PrefillSpeedRatio { get; init; } = 1;

    /// <summary>Learned: its times per output token over the step-time table's; 1 before anything is learned.</summary>
    public double DecodeSpeedRatio { get; init; } = 1;
}
