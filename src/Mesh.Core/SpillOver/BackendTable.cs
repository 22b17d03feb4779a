using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Health;

namespace Mesh.Core.SpillOver;

/// <summary>
/// The backends of one configuration: which of the pool's endpoints are theirs, and their load. Each configuration gets a new table, which
/// takes over what the one before measured of the backends that it still has.
/// </summary>
internal sealed class BackendTable
{
    // A region of which nothing is known is taken for one on another continent.
    private const double UnknownRoundTripMs = 150;
    private readonly BackendLoad[] _loads;
    private readonly Range[] _ranges;
    private readonly bool[] _ruledOut;
    private readonly bool _autoDrain;
    private readonly bool[] _excluded;
    private readonly bool[] _switchedOff;
    private readonly double[] _freeSpare;
    private readonly Range[] _slots;
    private readonly bool[] _allBut;
    private int _butOne;

    /// <param name="config">The configuration.</param>
    /// <param name="locality">Where the deciding gateway stands.</param>
    /// <param name="endpoints">The configuration's endpoints, ordered by backend.</param>
    /// <param name="before">Table of the configuration before.</param>
    /// <param name="now">Now.</param>
    /// <param name="readAt">When an endpoint's last sample was read; null when it no longer counts.</param>
    public BackendTable(PoolConfig config, Locality locality, ReadOnlySpan<EndpointState> endpoints, BackendTable? before, TimeSpan now, Func<EndpointState, TimeSpan?> readAt)
    {
        var ordered = config.Backends.OrderBy(b => b.Id).ToArray();
        _loads = new BackendLoad[ordered.Length];
        _ranges = new Range[ordered.Length];
        _slots = new Range[ordered.Length];
        _allBut = new bool[ordered.Length];
        Array.Fill(_allBut, true);
        _ruledOut = new bool[ordered.Length];
        _autoDrain = config.TrafficDistribution.AutoCapacityDrain;
        var indexBefore = new int[ordered.Length];
        var next = 0;
        for (var i = 0; i < ordered.Length; i++)
        {
            var load = _loads[i] = new BackendLoad(ordered[i]);
            indexBefore[i] = before is null ? -1 : Array.FindIndex(before._loads, b => b.Config.Id == load.Config.Id);
            if (indexBefore[i] >= 0) load.CarryFrom(before!._loads[indexBefore[i]]);

            var start = next;
            var roundTrip = locality.RoundTripTo(ordered[i].Region);
            var roundTripMs = roundTrip == TimeSpan.MaxValue ? UnknownRoundTripMs : roundTrip.TotalMilliseconds;
            for (; next < endpoints.Length && ReferenceEquals(endpoints[next].Backend, ordered[i]); next++)
            {
                var endpoint = endpoints[next];
                endpoint.Place(i, roundTripMs, 1 / Math.Max(1e-3, ordered[i].Settings.CapacityScaler));
                endpoint.IndexInBackend = next - start;
                load.AddInFlight(endpoint.InFlightRequests + endpoint.QueueCount);
                Count(load, endpoint.Health, 1);
                if (endpoint.LastSample is not null && readAt(endpoint) is { } read) Observe(endpoint, read);
            }
            _ranges[i] = start..next;
            _slots[i] = SlotsOf(endpoints[start..next]);
        }
        Selector = new BackendSelector(TierPlan.Create(ordered, locality, config.TrafficDistribution.Algorithm), _loads, config.TrafficDistribution);
        if (before is not null) Selector.CarryFrom(before.Selector, indexBefore);
        IsFree = config.TrafficDistribution == TrafficDistributionConfig.Default
            && Array.TrueForAll(ordered, b => b.Settings.Mode is null && b.Settings.Preference == BackendPreference.Default);
        _switchedOff = Array.ConvertAll(ordered, b => b.Settings.CapacityScaler <= 0);
        _excluded = new bool[ordered.Length];
        _freeSpare = new double[ordered.Length];
        UpdateDrain(now);
    }

    public BackendSelector Selector { get; }

    /// <summary>Who is told of placements as it shares them out; null where no endpoint starts slowly.</summary>
    public SlowStart? SlowStart { get; init; }

    public ReadOnlySpan<BackendLoad> Loads => _loads;

    /// <summary>True when some backend has a target whose load changes without a request or a probe.</summary>
    public bool HasRateTarget => Array.Exists(_loads, l => l.RateTarget is not null);

    /// <summary>True when no policy says where requests belong: no target, no preference, the default distribution.</summary>
    public bool IsFree { get; }

    /// <summary>Backends that get no new requests, by index: scaled to 0 or drained.</summary>
    public ReadOnlySpan<bool> Excluded => _excluded;

    /// <summary>Backends scaled to 0, by index: not even the last resort.</summary>
    public ReadOnlySpan<bool> SwitchedOff => _switchedOff;

    /// <summary>True when the hold of a drain may end with time alone.</summary>
    public bool HoldsDrains => _autoDrain;

    /// <summary>Load over target of all backends that take requests together; null when one of them has no target whose load is known.</summary>
    public double? OverallFullness(TimeSpan now)
    {
        var (load, target, loads) = (0.0, 0.0, 0);
        var sum = 0.0;
        for (var i = 0; i < _loads.Length; i++)
        {
            if (!Selector.IsOpen(i)) continue;
            if (_loads[i].Fullness(now) is not { } fullness) return null;
            loads++;
            sum += fullness;
            var capacity = _loads[i].RateTarget ?? _loads[i].InFlightTarget ?? 0;
            target += capacity;
            load += _loads[i].RateTarget is null ? _loads[i].InFlight : _loads[i].Rate(now);
        }
        // The request itself counts, as it does where it would go instead.
        return loads == 0 ? null : target > 0 ? (load + 1) / target : sum / loads;
    }

    /// <summary>Starts to add up what backends without a target have room for.</summary>
    public void ClearFreeSpare() => Array.Clear(_freeSpare);

    /// <summary>Adds what one endpoint of a backend has room for.</summary>
    public void AddFreeSpare(int backend, double requests) => _freeSpare[backend] += requests;

    /// <summary>The sum.</summary>
    public double FreeSpare(int backend) => _freeSpare[backend];

    /// <summary>When the oldest sample that counts was read; null when none does.</summary>
    public TimeSpan? OldestSample
    {
        get
        {
            TimeSpan? oldest = null;
            foreach (var load in _loads)
            {
                if (load.OldestSample is { } read && (oldest is null || read < oldest)) oldest = read;
            }
            return oldest;
        }
    }

    /// <summary>Endpoints of a backend, among the pool's.</summary>
    public Range RangeOf(int backend) => _ranges[backend];

    /// <summary>Slots among which those of a backend's endpoints are; others may be between them.</summary>
    public Range SlotsOf(int backend) => _slots[backend];

    /// <summary>All backends but one as excluded. Valid until the next call.</summary>
    public ReadOnlySpan<bool> AllBut(int backend)
    {
        _allBut[_butOne] = true;
        _allBut[_butOne = backend] = false;
        return _allBut;
    }

    /// <summary>A cleared list of backends that turned out to have no candidate for a request.</summary>
    public Span<bool> StartRulingOut()
    {
        Array.Clear(_ruledOut);
        return _ruledOut;
    }

    public void OnPlaced(EndpointState endpoint, TimeSpan now, bool withinTarget)
    {
        if (endpoint.BackendIndex < 0) return;
        _loads[endpoint.BackendIndex].OnPlaced(endpoint.IndexInBackend, now, withinTarget);
        SlowStart?.OnPlaced(endpoint, this, now);
    }

    public void OnCompleted(EndpointState endpoint)
    {
        if (endpoint.BackendIndex >= 0) _loads[endpoint.BackendIndex].OnCompleted(endpoint.IndexInBackend);
    }

    public void OnHealthChanged(EndpointState endpoint, HealthTransition transition, TimeSpan now)
    {
        if (endpoint.BackendIndex < 0) return;
        Count(_loads[endpoint.BackendIndex], transition.Before, -1);
        Count(_loads[endpoint.BackendIndex], transition.After, 1);
        UpdateDrain(now);
    }

    /// <summary>Takes what the endpoint's last sample, read at <paramref name="readAt"/>, says about the metrics that the backend's policy names.</summary>
    public void Observe(EndpointState endpoint, TimeSpan readAt)
    {
        if (endpoint.BackendIndex < 0 || endpoint.LastSample is not { } sample) return;
        var load = _loads[endpoint.BackendIndex];
        for (var metric = 0; metric < load.MetricCount; metric++)
        {
            // What waits to be sent there is counted here already, and the endpoint cannot have known of it.
            var since = endpoint.InFlightRequests - endpoint.InFlightAtSample + endpoint.QueueCount;
            load.Observe(metric, endpoint.IndexInBackend, load.ValueIn(metric, sample), endpoint.InFlightAtSample, since, readAt);
        }
    }

    /// <summary>Lets time pass: stale samples become unknown, holds of the drain end.</summary>
    public void Tick(TimeSpan now, TimeSpan sampleMaxAge)
    {
        foreach (var load in _loads) load.Expire(now, sampleMaxAge);
        UpdateDrain(now);
    }

    private void UpdateDrain(TimeSpan now)
    {
        Selector.UpdateDrain(now);
        for (var i = 0; i < _excluded.Length; i++) _excluded[i] = _switchedOff[i] || Selector.IsDrained(i);
    }

    private static Range SlotsOf(ReadOnlySpan<EndpointState> endpoints)
    {
        var (first, end) = (int.MaxValue, 0);
        foreach (var endpoint in endpoints) (first, end) = (Math.Min(first, endpoint.Slot), Math.Max(end, endpoint.Slot + 1));
        return Math.Min(first, end)..end;
    }

    private static void Count(BackendLoad load, EndpointHealth health, int change)
    {
        if (health == EndpointHealth.Healthy) load.HealthyCount += change;
        if (health == EndpointHealth.Unknown) load.UnknownCount += change;
    }
}
