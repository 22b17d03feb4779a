using Mesh.Core.StepTimes;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Least predicted cost, in ms: <c>wait + (2 + 2·mean wait in s)·own + 10·ΔA + 200·streams pushed over the TPOT target</c>. <c>wait</c>: see
/// <see cref="StudyEndpoint.WaitMs"/>; <c>own</c>: compute of the prompt's uncached tokens; <c>ΔA</c>: growth of the decode step. Exact KV
/// events say what is cached.
/// </summary>
internal sealed class StudyCost
{
    private const double OwnWeight = 2;
    private const double OwnWeightPerWaitSecond = 2;
    private const double AttentionWeight = 10;
    private const double PushedStreamMs = 200;
    private const double TargetTpotMs = 50;

    private readonly IWorldHost _host;
    private readonly StepTimeTable _table;
    private readonly double[] _waitMs;
    private double _ownWeight;

    public StudyCost(IWorldHost host)
    {
        _host = host;
        var options = host.Engine(0).Options;
        _table = options.StepTimes;
        _waitMs = new double[host.Endpoints];
        Endpoints = new StudyEndpoint[host.Endpoints];
        for (var i = 0; i < Endpoints.Length; i++) Endpoints[i] = new StudyEndpoint(_table, options.MaxNumBatchedTokens);
    }

    /// <summary>The endpoints.</summary>
    public StudyEndpoint[] Endpoints { get; }

    /// <summary>Computes every endpoint's wait as of now, for the calls of <see cref="Cheapest"/> that follow; returns the least, in ms.</summary>
    public double Refresh()
    {
        var sum = 0.0;
        var least = double.PositiveInfinity;
        for (var i = 0; i < Endpoints.Length; i++)
        {
            var waitMs = Endpoints[i].WaitMs(_host.Clock.NowMs);
            _waitMs[i] = waitMs;
            sum += waitMs;
            least = Math.Min(least, waitMs);
        }

        _ownWeight = OwnWeight + (OwnWeightPerWaitSecond * sum / Endpoints.Length / 1000);
        return least;
    }

    /// <summary>The cheapest endpoint for a request, the first of equal ones.</summary>
    public StudyChoice Cheapest(WorldRequest request)
    {
        var best = new StudyChoice(-1, double.PositiveInfinity, 0, 0, 0);
        for (var i = 0; i < Endpoints.Length; i++)
        {
            var endpoint = Endpoints[i];
            var waitMs = _waitMs[i];
            if (waitMs >= best.CostMs) continue;
            var cached = KvEvents.CachedTokens(_host.Engine(i), request);
            var ownMs = OwnMs(request.PromptTokens, cached);
            var stepMs = endpoint.StepMs;
            var stepMsAfter = endpoint.StepMsWith(1, request.PromptTokens);
            var pushed = stepMsAfter > TargetTpotMs && stepMs <= TargetTpotMs ? endpoint.Streams + 1 : stepMsAfter > TargetTpotMs ? 1 : 0;
            var cost = waitMs + (_ownWeight * ownMs) + (AttentionWeight * (stepMsAfter - stepMs)) + (PushedStreamMs * pushed);
            if (cost < best.CostMs) best = new StudyChoice(i, cost, waitMs, ownMs, request.PromptTokens - cached);
        }

        return best;
    }

    private double OwnMs(int promptTokens, int cachedTokens) =>
        Math.Max(_table.PrefillMs(promptTokens) - _table.PrefillMs(cachedTokens), _table.PrefillMs(promptTokens - cachedTokens));
}

/// <summary>An endpoint and what it would cost.</summary>
/// <param name="Endpoint">The endpoint; −1 for none.</param>
/// <param name="CostMs">The whole cost.</param>
/// <param name="WaitMs">Prefill outstanding there.</param>
/// <param name="OwnMs">Compute of the prompt's uncached tokens there.</param>
/// <param name="UncachedTokens">Those tokens.</param>
internal readonly record struct StudyChoice(int Endpoint, double CostMs, double WaitMs, double OwnMs, int UncachedTokens);
