using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Metrics;

namespace Mesh.Core.SpillOver;

/// <summary>
/// Target, load and fullness of one backend. Target capacity is N·X·s: by the number of endpoints, not of healthy ones, so that it
/// steers without being a circuit breaker. Fullness is the largest of load/target over the targets that the mode sets.
/// </summary>
internal sealed class BackendLoad
{
    // A mean of many scraped values is rarely the very target: a hair below it is reached.
    private const double RoundingSlack = 1e-6;

    // Stands in for a target where none is set, so that loads can be compared: vLLM's default batch per endpoint. Never a limit.
    private const double NominalInFlightPerEndpoint = 256;
    private SlidingCounter _meter = new(slots: 10, TimeSpan.FromMilliseconds(100));
    private readonly UtilizationEstimate[] _metrics;
    private RateBucket _bucket;
    private double _failoverShare;

    public BackendLoad(BackendConfig config)
    {
        Config = config;
        foreach (var endpoint in config.Endpoints)
        {
            if (!endpoint.Drained) EndpointCount++;
        }

        var settings = config.Settings;
        var targetsRate = settings.Mode == BalancingMode.Rate
            || (settings.Mode == BalancingMode.CustomMetrics && settings.TrafficDuration == TrafficDuration.Short);
        var targetsInFlight = settings.Mode == BalancingMode.InFlight
            || (settings.Mode == BalancingMode.CustomMetrics && settings.TrafficDuration != TrafficDuration.Short);
        RateTarget = targetsRate ? settings.MaxRatePerEndpoint * EndpointCount * settings.CapacityScaler : null;
        InFlightTarget = targetsInFlight ? settings.MaxInFlightPerEndpoint * (double)EndpointCount * settings.CapacityScaler : null;
        var metricCount = settings.Mode == BalancingMode.Utilization ? 1 : settings.CustomMetrics.Length;
        _metrics = new UtilizationEstimate[metricCount];
        for (var i = 0; i < metricCount; i++) _metrics[i] = new UtilizationEstimate(EndpointCount);
    }

    public BackendConfig Config { get; }

    /// <summary>N: the endpoints that no operator drains, for a drained one takes its part of the target along.</summary>
    public int EndpointCount { get; }

    /// <summary>h, kept by the owner.</summary>
    public int HealthyCount { get; set; }

    /// <summary>Endpoints on whose health no verdict has been reached yet, kept by the owner.</summary>
    public int UnknownCount { get; set; }

    /// <summary>Requests in flight and requests that wait for one of its endpoints.</summary>
    public int InFlight { get; private set; }

    /// <summary>N·X·s in requests per second; null without such a target.</summary>
    public double? RateTarget { get; }

    /// <summary>N·X·s in concurrent requests; null without such a target.</summary>
    public double? InFlightTarget { get; }

    /// <summary>Weight for sharing: the capacity where there is one, else N·s.</summary>
    public double Weight => RateTarget ?? InFlightTarget ?? EndpointCount * Config.Settings.CapacityScaler;

    /// <summary>Position on the stride scale: the backend that has had least for its weight has the lowest.</summary>
    public double Pass { get; set; }

    /// <summary>Requests per second over the last second.</summary>
    public double Rate(TimeSpan now) => _meter.PerSecond(now);

    /// <summary>Estimated mean of one metric; null when unknown.</summary>
    public double? Utilization(int metric) => _metrics[metric].Value;

    /// <summary>Number of metrics measured here.</summary>
    public int MetricCount => _metrics.Length;

    /// <summary>Fullness: 1 is at target. Null when the backend has no target, or none whose load is known.</summary>
    public double? Fullness(TimeSpan now)
    {
        double? fullness = null;
        if (RateTarget is { } rate) fullness = Ratio(_meter.PerSecond(now), rate);
        if (InFlightTarget is { } inFlight) fullness = Max(fullness, Ratio(InFlight, inFlight));
        for (var i = 0; i < _metrics.Length; i++)
        {
            if (UtilizationTarget(i) is { } target && _metrics[i].Value is { } value) fullness = Max(fullness, Ratio(value, target));
        }
        return fullness;
    }

    /// <summary>What backends of one tier are compared by: fullness, or in-flight requests against the nominal batch.</summary>
    public double ComparableLoad(TimeSpan now)
    {
        double? load = InFlightTarget is { } inFlight ? Ratio(InFlight, inFlight) : null;
        for (var i = 0; i < _metrics.Length; i++)
        {
            if (UtilizationTarget(i) is { } target) load = Max(load, Ratio(KnownOrExpected(i), target));
        }
        return RateTarget is null && load is { } comparable
            ? comparable
            : InFlight / Math.Max(1e-9, NominalInFlightPerEndpoint * EndpointCount * Config.Settings.CapacityScaler);
    }

    /// <summary>True if one more request stays within every target.</summary>
    public bool HasRoom(TimeSpan now)
    {
        if (RateTarget is { } rate && !_bucket.HasToken(now, rate)) return false;
        if (InFlightTarget is { } inFlight && InFlight + 1 > inFlight) return false;
        for (var i = 0; i < _metrics.Length; i++)
        {
            if (UtilizationTarget(i) is { } target && KnownOrExpected(i) >= target - RoundingSlack) return false;
        }
        return true;
    }

    /// <summary>Requests more that stay within every target; infinite without a target.</summary>
    /// <param name="now">Now.</param>
    /// <param name="ownRate">Requests per second that its own region is going to send here.</param>
    /// <param name="horizon">For how long: what a rate lets through in this time counts, and so do places that become free as peers' requests end.</param>
    /// <param name="trustInEnds">How far the latter may be counted on, 0–1.</param>
    public double Spare(TimeSpan now, double ownRate, TimeSpan horizon, double trustInEnds)
    {
        // As many of them end as have come: their places would be empty for a round trip if they were only granted once they are.
        var ending = trustInEnds * Math.Max(0, Rate(now) - ownRate) * horizon.TotalSeconds;
        var spare = double.PositiveInfinity;
        if (RateTarget is { } rate) spare = Math.Max(0, _bucket.Tokens(now, rate) + (rate - ownRate) * horizon.TotalSeconds);
        if (InFlightTarget is { } inFlight) spare = Math.Min(spare, Math.Max(0, inFlight - InFlight + ending));
        for (var i = 0; i < _metrics.Length; i++)
        {
            if (UtilizationTarget(i) is { } target) spare = Math.Min(spare, _metrics[i].RequestsUpTo(target, KnownOrExpected(i)));
        }
        return spare;
    }

    /// <summary>
    /// True if the next request may stay here although too few endpoints are healthy: below the threshold, healthy/threshold of the
    /// requests do, evenly spread.
    /// </summary>
    public bool KeepsNext(double failoverHealthThreshold)
    {
        var share = EndpointCount == 0 ? 0 : (double)HealthyCount / EndpointCount;
        if (share >= failoverHealthThreshold) return true;
        _failoverShare += share / failoverHealthThreshold;
        if (_failoverShare < 1 - 1e-9) return false;
        _failoverShare -= 1;
        return true;
    }

    /// <summary>Takes over what the same backend measured before an edit, and the requests that its endpoints have in flight.</summary>
    public void CarryFrom(BackendLoad before)
    {
        _meter = before._meter;
        _bucket = before._bucket;
        _failoverShare = before._failoverShare;
        Pass = before.Pass;
        for (var i = 0; i < _metrics.Length; i++)
        {
            for (var j = 0; j < before._metrics.Length; j++)
            {
                if (NameOf(i) == before.NameOf(j)) _metrics[i].CarryFrom(before._metrics[j]);
            }
        }
    }

    /// <summary>Counts requests that an endpoint had in flight when the configuration came.</summary>
    public void AddInFlight(int requests) => InFlight += requests;

    /// <summary>Counts a request that was placed here.</summary>
    /// <param name="endpoint">Index of the endpoint within the backend.</param>
    /// <param name="now">Now.</param>
    /// <param name="withinTarget">False for overfill, which must not use up the tokens of requests within the target.</param>
    public void OnPlaced(int endpoint, TimeSpan now, bool withinTarget)
    {
        InFlight++;
        _meter.Add(now);
        if (withinTarget && RateTarget is not null) _bucket.Take();
        foreach (var metric in _metrics) metric.Shift(endpoint, 1);
    }

    /// <summary>Counts a request that ended.</summary>
    public void OnCompleted(int endpoint)
    {
        InFlight--;
        foreach (var metric in _metrics) metric.Shift(endpoint, -1);
    }

    /// <summary>What a sample says of one metric; null when nothing.</summary>
    public double? ValueIn(int metric, EndpointSample sample)
    {
        if (Config.Settings.Mode == BalancingMode.Utilization) return sample.UtilizationRatio;
        return sample.NamedMetrics.TryGetValue(Config.Settings.CustomMetrics[metric].ExportName, out var value) ? value : null;
    }

    /// <summary>Takes a sampled utilization; null makes it unknown. See <see cref="UtilizationEstimate.Observe"/>.</summary>
    public void Observe(int metric, int endpoint, double? utilization, int inFlight, int since, TimeSpan readAt)
    {
        if (utilization is { } value) _metrics[metric].Observe(endpoint, value, inFlight, since, readAt);
        else _metrics[metric].Forget(endpoint);
    }

    /// <summary>Forgets samples older than <paramref name="maxAge"/>.</summary>
    public void Expire(TimeSpan now, TimeSpan maxAge)
    {
        foreach (var metric in _metrics) metric.Expire(now, maxAge);
    }

    /// <summary>When the oldest sample that counts was read; null when none does.</summary>
    public TimeSpan? OldestSample
    {
        get
        {
            TimeSpan? oldest = null;
            foreach (var metric in _metrics)
            {
                if (metric.Oldest is { } read && (oldest is null || read < oldest)) oldest = read;
            }
            return oldest;
        }
    }

    private string NameOf(int metric) => Config.Settings.Mode == BalancingMode.Utilization ? "" : Config.Settings.CustomMetrics[metric].ExportName;

    // A backend that is not heard of is not empty: its exact count of requests goes on, at the cost that they had.
    private double KnownOrExpected(int metric) => _metrics[metric].Value ?? _metrics[metric].Expected(InFlight);

    private double? UtilizationTarget(int metric)
    {
        var settings = Config.Settings;
        if (settings.Mode == BalancingMode.Utilization) return (settings.MaxUtilization ?? 0.8) * settings.CapacityScaler;
        if (settings.Mode != BalancingMode.CustomMetrics || settings.CustomMetrics[metric].DryRun) return null;
        return settings.CustomMetrics[metric].MaxUtilization * settings.CapacityScaler;
    }

    private static double Ratio(double load, double target) => target > 0 ? load / target : double.PositiveInfinity;

    private static double Max(double? a, double b) => a is { } value ? Math.Max(value, b) : b;
}
