using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Knows every queue and every answer's length, and sends each request at once to the endpoint where the number of requests that will be
/// within the target (TTFT 2 s, TPOT 50 ms) gains most by it; among equals where its first token comes first. A strong reference, not a
/// bound: it does not wait, and does not foresee arrivals.
/// </summary>
internal sealed class OmniscientRouter(ulong seed) : PickerRouter(seed)
{
    private const double TargetTtftMs = 2000;
    private const double TargetTpotMs = 50;

    private List<WorldRequest>[] _onTheirWay = [];
    private EngineForecast? _forecast;

    protected override void OnStart(IWorldHost host)
    {
        _forecast = new EngineForecast(TargetTtftMs, TargetTpotMs, host.LatencyMs);
        _onTheirWay = new List<WorldRequest>[host.Endpoints];
        for (var i = 0; i < _onTheirWay.Length; i++) _onTheirWay[i] = [];
    }

    protected override int Pick(WorldRequest request)
    {
        var best = 0;
        var bestGain = int.MinValue;
        var bestTtftMs = double.PositiveInfinity;
        var now = Host.Clock.NowMs;
        for (var i = 0; i < _onTheirWay.Length; i++)
        {
            var engine = Host.Engine(i);
            _onTheirWay[i].RemoveAll(r => r.Endpoint != i || r.SentMs + Host.LatencyMs <= now);
            _forecast!.Play(engine, _onTheirWay[i], null, now);
            var before = _forecast.Good;
            _forecast.Play(engine, _onTheirWay[i], request, now);
            var gain = _forecast.Good - before;
            if (gain < bestGain || (gain == bestGain && !(_forecast.AddedTtftMs < bestTtftMs))) continue;
            best = i;
            bestGain = gain;
            bestTtftMs = _forecast.AddedTtftMs;
        }

        return best;
    }

    protected override void OnSent(WorldRequest request, int endpoint) => _onTheirWay[endpoint].Add(request);
}
