using Mesh.Core.Config;
using Mesh.Core.Regions.Reports;
using Mesh.Core.SpillOver;

namespace Mesh.Core.Regions.Reporting;

/// <summary>Sums over the backends of one preference, while a report is made.</summary>
internal sealed class TierFigures
{
    private double _target;
    private double _load;
    private double? _fullness;
    private bool _isRate;
    private bool _targetless;
    private bool _keepsPlaces;

    public BackendPreference Preference { get; set; }

    public int Endpoints { get; set; }

    public int Healthy { get; set; }

    public double Spare { get; set; }

    /// <summary>True when every request that ends makes room for another: all backends aim at requests in flight alone, and have no more than that; what takes no requests has none.</summary>
    public bool KeepsPlaces => _keepsPlaces;

    public void Clear() => (_target, _load, _fullness, _isRate, _targetless, _keepsPlaces, Endpoints, Healthy, Spare) = (0, 0, null, false, false, true, 0, 0, 0);

    /// <summary>Adds a backend that takes no requests.</summary>
    public void AddClosed(BackendLoad backend) => _keepsPlaces &= backend.InFlight == 0;

    /// <summary>Adds a backend that takes requests.</summary>
    public void Add(BackendLoad backend, double spare, TimeSpan now)
    {
        Spare += spare;
        _keepsPlaces &= backend.RateTarget is null && backend.MetricCount == 0 && backend.InFlight <= backend.InFlightTarget;
        if (backend.Fullness(now) is { } fullness && !(fullness <= _fullness)) _fullness = fullness;
        if (backend.RateTarget is { } rate)
        {
            _isRate = true;
            _target += rate;
            _load += backend.Rate(now);
        }
        else if (backend.InFlightTarget is { } inFlight)
        {
            _target += inFlight;
            _load += backend.InFlight;
        }
        else
        {
            _targetless = true;
            _load += backend.InFlight;
        }
    }

    public TierReport ToReport() => new(Preference, Endpoints, Healthy)
    {
        // Sums over different units would mean nothing.
        TargetCapacity = _targetless || _target <= 0 ? null : Math.Round(_target, 3),
        IsRate = _isRate,
        Load = Math.Round(_load, 2),
        Fullness = _fullness is { } fullness && double.IsFinite(fullness) ? Math.Round(fullness, 4) : null,
        Spare = Math.Round(Spare, 1),
    };
}
