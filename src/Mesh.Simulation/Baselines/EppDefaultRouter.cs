using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// llm-d's default endpoint picker: 2·queue + 2·KV + 3·prefix, the highest wins, ties at random. <c>queue = (max − x) / (max − min)</c> over
/// the scraped waiting queues, 1 where all are equal; <c>KV = 1 − scraped usage</c>; <c>prefix</c> = known share of the prompt's blocks of 64
/// tokens by its own record of 31,250 blocks of 16 tokens per endpoint, written when a request is routed. It sees the gauges of scrapes 50 ms
/// apart and counts nothing of its own between them.
/// </summary>
internal sealed class EppDefaultRouter(ulong seed) : PickerRouter(seed)
{
    private const double QueueWeight = 2;
    private const double KvWeight = 2;
    private const double PrefixWeight = 3;
    private const int RecordBlocks = 31_250 * 16 / PromptLru.BlockTokens;

    private EngineGauges[] _gauges = [];
    private PromptLru[] _records = [];
    private double[] _negatedScores = [];

    public override double ScrapeIntervalMs => 50;

    public override void OnScrape(int endpoint, in EngineGauges gauges) => _gauges[endpoint] = gauges;

    protected override void OnStart(IWorldHost host)
    {
        _gauges = new EngineGauges[host.Endpoints];
        _negatedScores = new double[host.Endpoints];
        _records = new PromptLru[host.Endpoints];
        for (var i = 0; i < _records.Length; i++) _records[i] = new PromptLru(RecordBlocks);
    }

    protected override int Pick(WorldRequest request)
    {
        var least = int.MaxValue;
        var most = 0;
        foreach (var gauges in _gauges)
        {
            least = Math.Min(least, gauges.Waiting);
            most = Math.Max(most, gauges.Waiting);
        }

        var blocks = PromptLru.BlocksOf(request.PromptTokens);
        for (var i = 0; i < _gauges.Length; i++)
        {
            var queue = most == least ? 1 : (double)(most - _gauges[i].Waiting) / (most - least);
            var kv = 1 - _gauges[i].KvUtilizationRatio;
            var prefix = blocks == 0 ? 0 : (double)_records[i].Match(request.Chain.Span, request.PromptTokens) / blocks;
            _negatedScores[i] = -((QueueWeight * queue) + (KvWeight * kv) + (PrefixWeight * prefix));
        }

        return Least(_negatedScores);
    }

    protected override void OnSent(WorldRequest request, int endpoint) => _records[endpoint].Add(request.Chain.Span, request.PromptTokens);
}
