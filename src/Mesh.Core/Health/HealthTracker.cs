using Mesh.Core.Endpoints;

namespace Mesh.Core.Health;

/// <summary>
/// Turns single probe results into a verdict: as many successes in a row as the healthy threshold make an endpoint healthy, as many
/// failures in a row as the unhealthy threshold make it unhealthy, and anything less leaves the verdict as it was.
/// </summary>
internal struct HealthTracker
{
    private int _successesInARow;
    private int _failuresInARow;

    /// <summary>The verdict so far.</summary>
    public EndpointHealth Verdict { get; private set; }

    /// <summary>Takes one result and gives the verdict after it. The thresholds may differ from call to call; both are at least 1.</summary>
    public EndpointHealth Observe(bool success, int healthyThreshold, int unhealthyThreshold)
    {
        // The counts stop at the largest threshold, 10, with room to spare: years of probes must not overflow them.
        if (success)
        {
            _failuresInARow = 0;
            _successesInARow = Math.Min(_successesInARow + 1, 1000);
            if (_successesInARow >= healthyThreshold) Verdict = EndpointHealth.Healthy;
        }
        else
        {
            _successesInARow = 0;
            _failuresInARow = Math.Min(_failuresInARow + 1, 1000);
            if (_failuresInARow >= unhealthyThreshold) Verdict = EndpointHealth.Unhealthy;
        }

        return Verdict;
    }

    /// <summary>Takes over a verdict that was reached elsewhere; counting starts anew.</summary>
    public void Set(EndpointHealth verdict)
    {
        Verdict = verdict;
        _successesInARow = 0;
        _failuresInARow = 0;
    }
}
