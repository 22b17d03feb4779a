using Mesh.Simulation.Baselines;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>
/// A scheduler that sees every queue of every region without delay and knows every answer's length. It sends each request to the endpoint, at home or away,
/// where the number of requests within the target gains most by it; among equals where the first token is back first. A strong reference, not a bound.
/// </summary>
internal sealed class OmniscientRegions
{
    private const double TargetTtftMs = 2000;
    private const double TargetTpotMs = 50;
    private readonly RegionWorldOptions _options;
    private readonly VllmEngine[] _engines;
    private readonly List<(WorldRequest Request, double ArrivesMs)>[] _sent;
    private readonly List<WorldRequest>[] _onTheirWay;
    private readonly EngineForecast[,] _forecasts;

    public OmniscientRegions(RegionWorldOptions options, VllmEngine[] engines, double latencyMs)
    {
        _options = options;
        _engines = engines;
        _sent = new List<(WorldRequest, double)>[engines.Length];
        _onTheirWay = new List<WorldRequest>[engines.Length];
        for (var i = 0; i < engines.Length; i++) (_sent[i], _onTheirWay[i]) = ([], []);
        _forecasts = new EngineForecast[options.Regions, options.Regions];
        for (var home = 0; home < options.Regions; home++)
        {
            for (var there = 0; there < options.Regions; there++)
                _forecasts[home, there] = new EngineForecast(TargetTtftMs, TargetTpotMs, latencyMs + options.RoundTripBetween(home, there) / 2);
        }
    }

    /// <summary>Endpoint among those of all regions.</summary>
    public int Pick(WorldRequest request, int home, double nowMs)
    {
        var (best, bestGain, bestTtftMs) = (0, int.MinValue, double.PositiveInfinity);
        for (var i = 0; i < _engines.Length; i++)
        {
            _engines[i].CatchUp(nowMs);
            _sent[i].RemoveAll(s => s.ArrivesMs <= nowMs);
            _onTheirWay[i].Clear();
            foreach (var (sent, _) in _sent[i]) _onTheirWay[i].Add(sent);
            var forecast = _forecasts[home, i / _options.EndpointsPerRegion];
            forecast.Play(_engines[i], _onTheirWay[i], null, nowMs);
            var before = forecast.Good;
            forecast.Play(_engines[i], _onTheirWay[i], request, nowMs);
            var gain = forecast.Good - before;
            if (gain < bestGain || (gain == bestGain && !(forecast.AddedTtftMs < bestTtftMs))) continue;
            (best, bestGain, bestTtftMs) = (i, gain, forecast.AddedTtftMs);
        }

        return best;
    }

    public void OnSent(WorldRequest request, int endpoint, double arrivesMs) => _sent[endpoint].Add((request, arrivesMs));
}
