using Mesh.Core.StepTimes;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Least predicted cost, in ms: <c>wait + (2 + 2·mean wait in s)·own + 10·ΔA + 200·streams pushed over the TPOT target</c>. <c>wait</c>: see
/// <see cref="StudyEndpoint.WaitMs"/>; <c>own</c>: compute of the prompt's uncached tokens; <c>ΔA</c>: growth of the decode step above that of a lone stream; streams
/// pushed: see <see cref="StudyEndpoint.PushedOver"/>. What is cached is known from exact
/// KV events, or from the prompts that were sent.
/// </summary>
internal sealed class StudyCost
{
    private const double OwnWeight = 2;
    private const double OwnWeightPerWaitSecond = 2;
    private const double AttentionWeight = 10;
        private const double TargetTpotMs = 50;

    private readonly IWorldHost _host;
    private readonly StepTimeTable _table;
    private readonly PromptLru[] _records;
    private readonly double[] _waitMs;
    private readonly double _pushedStreamMs;
    private readonly double _leastStepMs;
    private double _ownWeight;

    /// <summary>Costs over one region's endpoints.</summary>
    /// <param name="host">The region.</param>
    /// <param name="pushedStreamMs">Cost of one stream pushed over the target; 200 in the study.</param>
    /// <param name="exactCache">Whether KV events tell what is cached, or only the prompts that it sent.</param>
    public StudyCost(IWorldHost host, double pushedStreamMs, bool exactCache)
    {
        _pushedStreamMs = pushedStreamMs;
        _host = host;
        var options = host.Engine(0).Options;
        _table = options.StepTimes;
        _leastStepMs = _table.DecodeMs(1, 1);
        _records = new PromptLru[exactCache ? 0 : host.Endpoints];
        for (var i = 0; i < _records.Length; i++) _records[i] = new PromptLru((int)((long)options.NumGpuBlocks * options.BlockSize / PromptLru.BlockTokens));
        _waitMs = new double[host.Endpoints];
        Endpoints = new StudyEndpoint[host.Endpoints];
        for (var i = 0; i < Endpoints.Length; i++) Endpoints[i] = new StudyEndpoint(_table, options.MaxNumBatchedTokens, TargetTpotMs);
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
            var cached = CachedTokens(i, request);
            var ownMs = OwnMs(request.PromptTokens, cached);
            var attentionMs = Math.Max(0, endpoint.StepMsWith(1, request.PromptTokens) - Math.Max(_leastStepMs, endpoint.StepMs));
            var pushed = endpoint.PushedOver(waitMs, ownMs, request.PromptTokens - cached, _host.Clock.NowMs);
            var cost = waitMs + (_ownWeight * ownMs) + (AttentionWeight * attentionMs) + (_pushedStreamMs * pushed);
            if (cost < best.CostMs) best = new StudyChoice(i, cost, waitMs, ownMs, request.PromptTokens - cached);
        }

        return best;
    }

    /// <summary>A request goes to an endpoint.</summary>
    public void Send(WorldRequest request, in StudyChoice choice)
    {
        Endpoints[choice.Endpoint].Send(request, choice.OwnMs, choice.UncachedTokens, _host.Clock.NowMs);
        if (_records.Length > 0) _records[choice.Endpoint].Add(request.Chain.Span, request.PromptTokens);
    }

    private int CachedTokens(int endpoint, WorldRequest request) => _records.Length == 0
        ? KvEvents.CachedTokens(_host.Engine(endpoint), request)
        : Math.Min(request.PromptTokens - 1, _records[endpoint].Match(request.Chain.Span, request.PromptTokens) * PromptLru.BlockTokens);

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
