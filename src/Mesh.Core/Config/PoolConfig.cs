using System.Collections.Immutable;

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
}
