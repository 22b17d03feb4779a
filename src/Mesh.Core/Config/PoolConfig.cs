using System.Collections.Immutable;
using Mesh.Core.FlowControl;

namespace Mesh.Core.Config;

/// <summary>One import with its backends and the settings that hold for the whole of it.</summary>
public sealed record PoolConfig
{
    /// <summary>The import's namespace and name.</summary>
    public required PoolId Id { get; init; }

    /// <summary>Backends ordered by id.</summary>
    public ImmutableArray<BackendConfig> Backends { get; init; } = [];

    /// <summary>How endpoints are probed.</summary>
    public HealthCheckConfig HealthCheck { get; init; } = new();

    /// <summary>Whole-request time-out, queue and retries included (<c>timeoutSec</c>).</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a removed or drained endpoint may finish its requests (<c>connectionDraining.drainingTimeoutSec</c>).</summary>
    public TimeSpan DrainingTimeout { get; init; }

    /// <summary><see cref="DrainingTimeout"/> where the manifests set it; null where they do not: requests then finish within their own time-out.</summary>
    public TimeSpan? DrainingLimit { get; init; }

    /// <summary>Cluster of a pool that a route names as InferencePool: only that cluster's endpoints; null for an import.
    /// Such a pool's name is <c>name@cluster</c>, which no import can have.</summary>
    public string? LocalToCluster { get; init; }

    /// <summary>Ties a session's requests to one endpoint.</summary>
    public SessionAffinityConfig SessionAffinity { get; init; } = SessionAffinityConfig.None;

    /// <summary>Share of requests that are logged, 0–1 (<c>logging.sampleRate</c> / 1e6); 0 where logging is off.</summary>
    public double LogSampleRatio { get; init; }

    /// <summary>How load is spread over the backends.</summary>
    public TrafficDistributionConfig TrafficDistribution { get; init; } = TrafficDistributionConfig.Default;

    /// <summary>Model names to replace, in order of precedence: the first rule that matches counts.</summary>
    public ImmutableArray<ModelRewriteConfig> ModelRewrites { get; init; } = [];

    /// <summary>How the endpoint is chosen.</summary>
    public SchedulingConfig Scheduling { get; init; } = new();

    /// <summary>Whether the servers' cache events are followed.</summary>
    public KvEventsConfig KvEvents { get; init; } = KvEventsConfig.None;

    /// <summary>What happens to a request when every backend is at target.</summary>
    public FlowControlSettings FlowControl { get; init; } = new();

    /// <summary>The pool with the backends of one region alone; itself when it has no others.</summary>
    /// <param name="region">The region; names are compared exactly.</param>
    public PoolConfig ForRegion(string region)
    {
        var own = Backends.RemoveAll(b => b.Region != region);
        return own.Length == Backends.Length ? this : this with { Backends = own };
    }
}
