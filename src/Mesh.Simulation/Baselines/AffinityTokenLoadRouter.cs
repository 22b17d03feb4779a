using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// llm-d's prefix-affinity filter with token load: of the endpoints that are known to hold at least 80% of the prompt those stay whose
/// estimated TTFT penalty, tokens in flight / 15,928 per s, is at most 18 s; where none stays, all do. Then the highest
/// <c>1 − min(1, tokens in flight / 4,194,304)</c> wins, ties at random. Tokens in flight are the prompts that it sent and that have not ended.
/// </summary>
internal sealed class AffinityTokenLoadRouter(ulong seed) : PickerRouter(seed)
{
    private const double LeastMatch = 0.80;
    private const double TokensPerSecond = 15_928;
    private const double MostPenaltySeconds = 18;
    private const double FullTokens = 4_194_304;
    private const int RecordBlocks = 31_250 * 16 / PromptLru.BlockTokens;

    private PromptLru[] _records = [];
    private double[] _tokens = [];
    private double[] _negatedScores = [];

    public override void OnEnd(WorldRequest request) => _tokens[request.Endpoint] -= request.PromptTokens;

    protected override void OnStart(IWorldHost host)
    {
        _tokens = new double[host.Endpoints];
        _negatedScores = new double[host.Endpoints];
        _records = new PromptLru[host.Endpoints];
        for (var i = 0; i < _records.Length; i++) _records[i] = new PromptLru(RecordBlocks);
    }

    protected override int Pick(WorldRequest request)
    {
        var blocks = PromptLru.BlocksOf(request.PromptTokens);
        var anyAffine = false;
        for (var i = 0; i < _tokens.Length; i++)
        {
            var match = blocks == 0 ? 0 : (double)_records[i].Match(request.Chain.Span, request.PromptTokens) / blocks;
            var isAffine = match >= LeastMatch && _tokens[i] / TokensPerSecond <= MostPenaltySeconds;
            anyAffine |= isAffine;
            _negatedScores[i] = isAffine ? -Score(i) : double.PositiveInfinity;
        }

        if (!anyAffine)
        {
            for (var i = 0; i < _tokens.Length; i++) _negatedScores[i] = -Score(i);
        }

        return Least(_negatedScores);
    }

    protected override void OnSent(WorldRequest request, int endpoint)
    {
        _tokens[endpoint] += request.PromptTokens;
        _records[endpoint].Add(request.Chain.Span, request.PromptTokens);
    }

    private double Score(int endpoint) => 1 - Math.Min(1, _tokens[endpoint] / FullTokens);
}
