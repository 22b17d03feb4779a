using System.Collections.Immutable;
using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;
using Mesh.Core.PrefixCache;

namespace Mesh.Core.Routing;

/// <summary>What is heard of a pool's endpoints (samples, reports, probes, models), and what follows from it for those who wait. Not thread-safe.</summary>
internal sealed class Observations(
    PoolClock clock, EndpointTable endpoints, ModelCatalog models, PrefixKnowledge prefixes, Reservations reservations, Ejections ejections, SlowStart slowStart, Dispatcher dispatcher)
{
    private TimeSpan Now => clock.SinceStart(clock.Now);

    /// <summary>Takes a reading of metrics; false when it is older than the last or the endpoint is unknown.</summary>
    public bool Take(EndpointSample sample)
    {
        var agesFrom = clock.AgesFrom(sample);
        var freshness = clock.Freshness(clock.Now);
        if (!endpoints.TryFind(sample.Endpoint, out var endpoint) || endpoint.Observe(sample, agesFrom, freshness) is not { } transition) return false;
        endpoints.Adapters.Learn(sample);
        if (endpoint.TakeRestart(sample))
        {
            prefixes.Forget(endpoint.Slot);
            endpoint.Work.LearnAnew();
            if (endpoint.IsReady) slowStart.Begin(endpoint, Now);
        }

        reservations.OnSample(endpoint, sample);
        // One that was on its way for too long says nothing any more.
        if (freshness.IsFresh(endpoint.SampleAgesFrom)) reservations.Backends.Observe(endpoint, clock.SinceStart(endpoint.SampleAgesFrom));
        Moved(endpoint, transition);
        dispatcher.Dispatch();
        return true;
    }

    /// <summary>Takes what an endpoint told of its load beside an answer; false when it is older than what is known or the endpoint is unknown.</summary>
    public bool Take(in EndpointReport report)
    {
        var freshness = clock.Freshness(clock.Now);
        if (!endpoints.TryFind(report.Endpoint, out var endpoint) || endpoint.Observe(in report, freshness) is not { } transition) return false;
        if (freshness.IsFresh(endpoint.SampleAgesFrom)) reservations.Backends.Observe(endpoint, clock.SinceStart(endpoint.SampleAgesFrom));
        Moved(endpoint, transition);
        dispatcher.Dispatch();
        return true;
    }

    /// <summary>Takes a probe's result.</summary>
    public HealthTransition Take(ProbeResult probe, HealthCheckConfig check) =>
        endpoints.TryFind(probe.Endpoint, out var endpoint) ? Moved(endpoint, endpoint.Observe(probe, check)) : default;

    /// <summary>Takes over a verdict.</summary>
    public HealthTransition Take(EndpointId id, EndpointHealth verdict) => endpoints.TryFind(id, out var endpoint) ? Moved(endpoint, endpoint.Observe(verdict)) : default;

    /// <summary>Takes the models that an endpoint lists; false when it is unknown.</summary>
    public bool Take(EndpointId id, ImmutableArray<string> listed)
    {
        if (!endpoints.TryFind(id, out var endpoint)) return false;
        models.Assign(endpoint, listed);
        dispatcher.Dispatch();
        return true;
    }

    private HealthTransition Moved(EndpointState endpoint, HealthTransition transition)
    {
        if (!transition.Changed) return transition;
        reservations.Backends.OnHealthChanged(endpoint, transition, Now);
        ejections.Review(Now, reservations.Backends);
        if (transition.After == EndpointHealth.Healthy)
        {
            if (transition.Before == EndpointHealth.Unhealthy || endpoint.IsNewcomer) slowStart.Begin(endpoint, Now);
            endpoint.IsNewcomer = false;
        }

        if (transition.Before == EndpointHealth.Healthy)
        {
            // What comes back may be another process, and its cache is empty.
            prefixes.Forget(endpoint.Slot);
            dispatcher.Evacuate(endpoint);
        }

        dispatcher.Dispatch();
        return transition;
    }
}
