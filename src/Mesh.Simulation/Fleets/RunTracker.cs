using System.Collections.Immutable;
using Mesh.Simulation.Model;
using Mesh.Simulation.Reports;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>Collects the figures of every request of one run. Not thread-safe.</summary>
/// <param name="slo">What makes a request count as good.</param>
/// <param name="scope">Where endpoints stand.</param>
internal sealed class RunTracker(SloTarget slo, RunScope scope) : IRunObserver
{
    private const string UnknownReason = "refused";
    private const int QuantileSteps = 200;

    private readonly List<double> _ttftMs = [];
    private readonly List<double> _tpotMs = [];
    private readonly List<double> _e2eMs = [];
    private readonly SortedDictionary<string, int> _refused = new(StringComparer.Ordinal);
    private readonly LoadMap _load = new(scope.RegionOf.Length);
    private readonly long[,] _flows = new long[scope.Regions.Count, scope.Regions.Count];
    private double _firstArrivalMs = double.PositiveInfinity;
    private double _lastEndMs;
    private long _promptTokens;
    private long _cachedTokens;
    private long _outputTokens;
    private long _goodTokens;
    private int _good;

    private int _played;

    /// <summary>Requests that have ended, but for those of the warm-up.</summary>
    public int Ended { get; private set; }

    /// <summary>Requests answered within the SLO, among all.</summary>
    public double GoodShare => Ended == 0 ? 0 : (double)_good / Ended;

    /// <summary>Time to first token and arrival of every request served, in order of their ends.</summary>
    public List<(double ArrivedMs, double TtftMs)> FirstTokens { get; } = [];

    /// <summary>Arrival of the last request.</summary>
    public double LastArrivalMs { get; private set; }

    /// <summary>Is told how many requests have ended, now and then.</summary>
    public Action<int>? OnProgress { get; init; }

    /// <summary>
    /// Requests that arrive before are left out of every figure but the load over time and the spread of work, which the engines count.
    /// </summary>
    public TimeSpan WarmUp { get; init; }

    public void OnServed(WorldRequest request, double nowMs)
    {
        if (!Note(request, nowMs)) return;
        var ttft = request.FirstByteMs - request.ArrivedMs;
        _ttftMs.Add(ttft);
        FirstTokens.Add((request.ArrivedMs, ttft));
        _e2eMs.Add(nowMs - request.ArrivedMs);
        // An answer of one token has no time between tokens.
        var tpot = request.OutputTokens > 1 ? (nowMs - request.FirstByteMs) / (request.OutputTokens - 1) : 0;
        if (request.OutputTokens > 1) _tpotMs.Add(tpot);
        _promptTokens += request.PromptTokens;
        _cachedTokens += request.CachedTokens;
        _outputTokens += request.OutputTokens;
        if (!(ttft <= slo.TtftMs && tpot <= slo.TpotMs)) return;
        _good++;
        _goodTokens += request.OutputTokens;
    }

    public void OnRefused(WorldRequest request, double nowMs)
    {
        if (!Note(request, nowMs)) return;
        var reason = request.RefusedFor ?? UnknownReason;
        _refused[reason] = _refused.GetValueOrDefault(reason) + 1;
    }

    /// <summary>The run's figures, once it has ended.</summary>
    public RunTrack Build(string router, string load, ReadOnlySpan<VllmEngine> engines, long events, double? costPerHour = null)
    {
        var seconds = Math.Max(1e-9, (LastArrivalMs - _firstArrivalMs) / 1000);
        var regions = scope.Regions.Count;
        long sent = 0, crossing = 0;
        for (var from = 0; from < regions; from++)
        {
            for (var to = 0; to < regions; to++)
            {
                sent += _flows[from, to];
                if (from != to) crossing += _flows[from, to];
            }
        }

        var spread = UtilizationSpread.Of(engines);
        var figures = new RunFigures
        {
            Router = router,
            Load = load,
            Requests = Ended,
            Refused = _refused.Values.Sum(),
            RefusedBy = _refused.ToImmutableSortedDictionary(StringComparer.Ordinal),
            OfferedPerSecond = Ended / seconds,
            GoodputPerSecond = _good / seconds,
            GoodputShare = GoodShare,
            TtftMs = Percentiles.Of(_ttftMs),
            TpotMs = Percentiles.Of(_tpotMs),
            E2eMs = Percentiles.Of(_e2eMs),
            PromptTokens = _promptTokens,
            OutputTokens = _outputTokens,
            PrefixHitRatio = _promptTokens == 0 ? 0 : (double)_cachedTokens / _promptTokens,
            LeastToMeanTokens = spread.LeastToMean,
            MostToMeanTokens = spread.MostToMean,
            CrossRegionShare = sent == 0 ? 0 : (double)crossing / sent,
            Flows = [.. Enumerable.Range(0, regions).Select(f => Enumerable.Range(0, regions).Select(t => _flows[f, t]).ToImmutableArray())],
            Regions = [.. scope.Regions],
            CostPerHour = costPerHour,
            CostPerMillionGoodTokens = _goodTokens == 0 ? null : costPerHour * seconds / 3600 / _goodTokens * 1e6,
            VirtualSeconds = _lastEndMs / 1000,
            Events = events,
        };
        return new RunTrack(figures, Quantiles(), _load, scope.RegionOf);
    }

    // The percentiles have sorted the list.
    private ImmutableArray<double> Quantiles() => _ttftMs.Count == 0
        ? []
        : [.. Enumerable.Range(0, QuantileSteps + 1).Select(i => _ttftMs[(int)((long)i * (_ttftMs.Count - 1) / QuantileSteps)])];

    // Whether the request counts.
    private bool Note(WorldRequest request, double nowMs)
    {
        _played++;
        if ((_played & 0x3F) == 0) OnProgress?.Invoke(_played);
        _lastEndMs = Math.Max(_lastEndMs, nowMs);
        var endpoint = request.Endpoint < 0 ? -1 : scope.Views[request.Region][request.Endpoint];
        if (endpoint >= 0) _load.Add(endpoint, request.SentMs, nowMs);
        if (request.ArrivedMs < WarmUp.TotalMilliseconds) return false;
        Ended++;
        _firstArrivalMs = Math.Min(_firstArrivalMs, request.ArrivedMs);
        LastArrivalMs = Math.Max(LastArrivalMs, request.ArrivedMs);
        if (endpoint >= 0) _flows[request.Region, scope.RegionOf[endpoint]]++;
        return true;
    }
}
