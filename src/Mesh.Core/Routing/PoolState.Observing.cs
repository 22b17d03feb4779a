using System.Collections.Immutable;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Core.Routing;

// What is seen of the endpoints from outside.
public sealed partial class PoolState
{
    /// <summary>Takes a reading of an endpoint's metrics. False, and no effect, when it is older than the last or the endpoint is unknown.</summary>
    public bool Apply(EndpointSample sample)
    {
        ArgumentNullException.ThrowIfNull(sample);
        return _observations.Take(sample);
    }

    /// <summary>
    /// Takes what an endpoint told of its load beside an answer: the newest value of each figure holds. False, and no effect, when it is older
    /// than what is known, or the endpoint is unknown.
    /// </summary>
    public bool Apply(in EndpointReport report) => _observations.Take(in report);

    /// <summary>Takes a probe's result and says what it changed. One that is older than the last, or of an unknown endpoint, changes nothing.</summary>
    public HealthTransition Apply(ProbeResult probe) => _observations.Take(probe, _config.HealthCheck);

    /// <summary>Takes over a verdict that a prober elsewhere has reached by the pool's thresholds.</summary>
    public HealthTransition ApplyHealth(EndpointId id, EndpointHealth verdict) => _observations.Take(id, verdict);

    /// <summary>Takes the models that an endpoint lists, adapters included; <c>default</c> means not known. False when the endpoint is unknown.</summary>
    public bool ApplyModels(EndpointId id, ImmutableArray<string> models) => _observations.Take(id, models);
}
