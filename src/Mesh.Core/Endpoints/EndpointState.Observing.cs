using Mesh.Core.Config;
using Mesh.Core.Health;
using Mesh.Core.Metrics;

namespace Mesh.Core.Endpoints;

// What probes, samples and reports say of it, and what that changes.
internal sealed partial class EndpointState
{
    /// <summary>Takes a probe's result; one that is older than the last is ignored.</summary>
    public HealthTransition Observe(ProbeResult probe, HealthCheckConfig check)
    {
        var before = Health;
        if (probe.Timestamp < _lastProbe) return new HealthTransition(before, before);
        _lastProbe = probe.Timestamp;
        _health.Observe(probe.Success, check.HealthyThreshold, check.UnhealthyThreshold);
        return Moved(before);
    }

    /// <summary>Takes over a verdict.</summary>
    public HealthTransition Observe(EndpointHealth verdict)
    {
        var before = Health;
        _health.Set(verdict);
        return Moved(before);
    }

    /// <summary>Takes a sample; null when it is older than the last.</summary>
    public HealthTransition? Observe(EndpointSample sample) => Observe(sample, sample.Timestamp);

    /// <summary>
    /// Takes a sample that ages as if it had been read at <paramref name="agesFrom"/>, and says what it changed; null when it is older than
    /// the last.
    /// </summary>
    public HealthTransition? Observe(EndpointSample sample, long agesFrom)
    {
        var before = Health;
        return _readings.Take(sample, agesFrom) ? Taken(before) : null;
    }

    /// <summary>As above, put together with what reports have told.</summary>
    public HealthTransition? Observe(EndpointSample sample, long agesFrom, SampleFreshness freshness)
    {
        var before = Health;
        return _readings.Take(sample, agesFrom, freshness) ? Taken(before) : null;
    }

    /// <summary>Takes a report; null when it is older than the last.</summary>
    public HealthTransition? Observe(in EndpointReport report, SampleFreshness freshness)
    {
        var before = Health;
        return _readings.Take(in report, freshness) ? Taken(before) : null;
    }

    private HealthTransition Taken(EndpointHealth before)
    {
        costs.AdapterChanges?.Note(slot);
        InFlightAtSample = InFlightRequests;
        _inFlightTokensAtSample = InFlightTokens;
        return Moved(before);
    }

    private HealthTransition Moved(EndpointHealth before)
    {
        var after = Health;
        // An endpoint that has come back starts with a clean sheet: what failed was the one that died.
        if (before == EndpointHealth.Unhealthy && after == EndpointHealth.Healthy)
        {
            _failures.Clear();
            costs[slot].HasFailures = false;
        }

        UpdateReady();
        return new HealthTransition(before, after);
    }
}
