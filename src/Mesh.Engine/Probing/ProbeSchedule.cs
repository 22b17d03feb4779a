using Mesh.Core.Endpoints;

namespace Mesh.Engine.Probing;

/// <summary>
/// When an endpoint is probed next: at the health check's interval, but quickly until it is healthy for the first time (a bounded number of
/// times), so that a fleet is ready soon after its start, whoever of the two starts first, and quickly after requests failed to reach an
/// endpoint that is called healthy, until a probe succeeds or the verdict changes, so that a dead one leaves early. Never more often than
/// the quick interval.
/// </summary>
internal sealed class ProbeSchedule(TimeSpan quickInterval, int quickLimit, double phase)
{
    private int _quickProbes;
    private bool _wasHealthy;
    private bool _settled;
    private bool _suspected;

    /// <summary>Requests have failed to reach the endpoint.</summary>
    public void Suspect() => _suspected = true;

    /// <summary>Delay before the next probe.</summary>
    /// <param name="interval">The health check's interval.</param>
    /// <param name="sinceProbeStart">Time since the last probe began.</param>
    /// <param name="verdict">Verdict after the last probe.</param>
    /// <param name="success">Whether the last probe succeeded.</param>
    public TimeSpan Next(TimeSpan interval, TimeSpan sinceProbeStart, EndpointHealth verdict, bool success)
    {
        _wasHealthy |= verdict == EndpointHealth.Healthy;
        if (!_wasHealthy && _quickProbes < quickLimit)
        {
            _quickProbes++;
            return Left(quickInterval, sinceProbeStart);
        }

        _suspected &= !success && verdict == EndpointHealth.Healthy;
        if (_suspected) return Left(quickInterval, sinceProbeStart);
        if (interval < quickInterval) interval = quickInterval;

        // The first regular probe comes at the endpoint's own phase, because a fleet that started together would be probed together for ever.
        if (_settled) return Left(interval, sinceProbeStart);
        _settled = true;
        return Left(interval * (1 - phase / 2), sinceProbeStart);
    }

    /// <summary>Delay before an extra probe that was asked for.</summary>
    public TimeSpan Extra(TimeSpan sinceProbeStart) => Left(quickInterval, sinceProbeStart);

    private static TimeSpan Left(TimeSpan interval, TimeSpan since) => since < interval ? interval - since : TimeSpan.Zero;
}
