namespace Mesh.Core.SpillOver;

/// <summary>
/// Mean utilization of a backend's endpoints by one metric, between samples too. A sample says what an endpoint's utilization was with
/// the requests that it had then; each request more or less since moves the estimate by what a request has cost on average:
/// <c>(Σu + k·Σ(in-flight now − in-flight at the sample)) / n</c>, <c>k = Σu / Σ in-flight at the sample</c>, over the n endpoints whose
/// sample is fresh. Without it, every request between two scrapes would go to the backend that looked empty at the last one.
/// </summary>
internal sealed class UtilizationEstimate(int endpointCount)
{
    // Before anything is learned, a request costs what it would if 256 of them (vLLM's default batch) filled an endpoint.
    private const double PriorCost = 1.0 / 256;
    private readonly double[] _utilization = new double[endpointCount];
    private readonly int[] _inFlightAtSample = new int[endpointCount];
    private readonly int[] _since = new int[endpointCount];
    private readonly TimeSpan[] _sampledAt = new TimeSpan[endpointCount];
    private readonly bool[] _known = new bool[endpointCount];
    private double _sumUtilization;
    private long _sumInFlight;
    private long _sumSince;
    private int _knownCount;
    private double _cost = PriorCost;

    /// <summary>Estimated mean utilization, not capped at 1; null when no endpoint reports the metric.</summary>
    public double? Value => _knownCount == 0 ? null : Math.Max(0, (_sumUtilization + _cost * _sumSince) / _knownCount);

    /// <summary>When the oldest sample that counts was read; null when none does.</summary>
    public TimeSpan? Oldest
    {
        get
        {
            TimeSpan? oldest = null;
            for (var i = 0; i < _known.Length; i++)
            {
                if (_known[i] && (oldest is null || _sampledAt[i] < oldest)) oldest = _sampledAt[i];
            }
            return oldest;
        }
    }

    /// <summary>What to go by while nothing is known: the mean that this many requests would make at the cost learned before.</summary>
    public double Expected(int inFlight) => _cost * inFlight / Math.Max(1, endpointCount);

    /// <summary>Requests more that would bring the mean from a value to a target, at what a request has cost.</summary>
    public double RequestsUpTo(double target, double from) => Math.Max(0, target - from) * endpointCount / _cost;

    /// <summary>Takes over what the same metric's requests were found to cost.</summary>
    public void CarryFrom(UtilizationEstimate before) => _cost = before._cost;

    /// <summary>Takes a sample of one endpoint.</summary>
    /// <param name="endpoint">Index of the endpoint.</param>
    /// <param name="utilization">What the sample says.</param>
    /// <param name="inFlight">Requests in flight at the endpoint when the sample came.</param>
    /// <param name="since">Requests more or less since.</param>
    /// <param name="readAt">When it was read.</param>
    public void Observe(int endpoint, double utilization, int inFlight, int since, TimeSpan readAt)
    {
        Forget(endpoint);
        _known[endpoint] = true;
        _knownCount++;
        _utilization[endpoint] = utilization;
        _inFlightAtSample[endpoint] = inFlight;
        _sampledAt[endpoint] = readAt;
        _since[endpoint] = since;
        _sumSince += since;
        _sumUtilization += utilization;
        _sumInFlight += inFlight;
        // A backend at rest teaches nothing about the cost of a request: keep what was learned before.
        if (_sumInFlight > 0 && _sumUtilization > 0) _cost = Math.Clamp(_sumUtilization / _sumInFlight, 1e-5, 1);
    }

    /// <summary>Counts a request placed at (+1) or gone from (−1) an endpoint since its sample.</summary>
    public void Shift(int endpoint, int change)
    {
        if (!_known[endpoint]) return;
        _since[endpoint] += change;
        _sumSince += change;
    }

    /// <summary>Makes an endpoint's utilization unknown.</summary>
    public void Forget(int endpoint)
    {
        if (!_known[endpoint]) return;
        _known[endpoint] = false;
        _knownCount--;
        _sumUtilization -= _utilization[endpoint];
        _sumInFlight -= _inFlightAtSample[endpoint];
        _sumSince -= _since[endpoint];
        if (_knownCount == 0) _sumUtilization = 0;
    }

    /// <summary>Forgets samples older than <paramref name="maxAge"/>.</summary>
    public void Expire(TimeSpan now, TimeSpan maxAge)
    {
        for (var i = 0; i < _known.Length; i++)
        {
            if (_known[i] && now - _sampledAt[i] > maxAge) Forget(i);
        }
    }
}
