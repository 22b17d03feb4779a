using Mesh.Simulation.World;

namespace Mesh.Simulation.Reports;

/// <summary>Collects the figures of every request of one run. Not thread-safe.</summary>
internal sealed class RunRecorder(SloTarget slo) : IRunObserver
{
    private readonly List<double> _ttftMs = [];
    private readonly List<double> _tpotMs = [];
    private readonly List<double> _e2eMs = [];
    private double _firstArrivalMs = double.PositiveInfinity;
    private double _lastEndMs;
    private long _promptTokens;
    private long _cachedTokens;
    private int _good;
    private int _refused;

    /// <summary>Time to first token and arrival of every request served, in order of their ends; for judging whether a queue is stable.</summary>
    public List<(double ArrivedMs, double TtftMs)> FirstTokens { get; } = [];

    /// <summary>Arrival of the last request.</summary>
    public double LastArrivalMs { get; private set; }

    public void OnServed(WorldRequest request, double nowMs)
    {
        Note(request, nowMs);
        var ttft = request.FirstByteMs - request.ArrivedMs;
        _ttftMs.Add(ttft);
        FirstTokens.Add((request.ArrivedMs, ttft));
        _e2eMs.Add(nowMs - request.ArrivedMs);
        // An answer of one token has no time between tokens.
        var tpot = request.OutputTokens > 1 ? (nowMs - request.FirstByteMs) / (request.OutputTokens - 1) : 0;
        if (request.OutputTokens > 1) _tpotMs.Add(tpot);
        _promptTokens += request.PromptTokens;
        _cachedTokens += request.CachedTokens;
        if (ttft <= slo.TtftMs && tpot <= slo.TpotMs) _good++;
    }

    public void OnRefused(WorldRequest request, double nowMs)
    {
        Note(request, nowMs);
        _refused++;
    }

    /// <summary>The run's figures, once it has ended.</summary>
    public RunReport Build(string router, DiscreteWorld world)
    {
        var seconds = Math.Max(1e-9, (LastArrivalMs - _firstArrivalMs) / 1000);
        var requests = _ttftMs.Count + _refused;
        return new RunReport
        {
            Router = router,
            Requests = requests,
            Refused = _refused,
            OfferedPerSecond = requests / seconds,
            GoodputPerSecond = _good / seconds,
            Ttft = Percentiles.Of(_ttftMs),
            Tpot = Percentiles.Of(_tpotMs),
            E2e = Percentiles.Of(_e2eMs),
            PrefixHitRatio = _promptTokens == 0 ? 0 : (double)_cachedTokens / _promptTokens,
            Spread = UtilizationSpread.Of(world.Engines),
            VirtualSeconds = _lastEndMs / 1000,
            Events = world.Events,
        };
    }

    private void Note(WorldRequest request, double nowMs)
    {
        _firstArrivalMs = Math.Min(_firstArrivalMs, request.ArrivedMs);
        LastArrivalMs = Math.Max(LastArrivalMs, request.ArrivedMs);
        _lastEndMs = Math.Max(_lastEndMs, nowMs);
    }
}
