using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// SMG's least_load: the least <c>(queued + in-flight tokens) / throughput + 0.15·k / (1 − k)</c>, ties at random; k is the scraped KV usage.
/// In flight are the prompts that it sent and that have not answered; queued are the waiting requests that the last scrape saw beyond its
/// own, at the mean prompt length. Throughput is one figure, for all engines are alike: 15,928 prompt tokens per second.
/// </summary>
internal sealed class SmgLeastLoadRouter(ulong seed) : PickerRouter(seed)
{
    private const double TokensPerSecond = 15_928;
    private const double KvWeight = 0.15;
    private const double MostKv = 0.999;

    private EngineGauges[] _gauges = [];
    private double[] _tokens = [];
    private int[] _unanswered = [];
    private double[] _costs = [];
    private double _promptTokens;
    private long _prompts;

    public override double ScrapeIntervalMs => 50;

    public override void OnScrape(int endpoint, in EngineGauges gauges) => _gauges[endpoint] = gauges;

    public override void OnFirstByte(WorldRequest request)
    {
        _tokens[request.Endpoint] -= request.PromptTokens;
        _unanswered[request.Endpoint]--;
    }

    protected override void OnStart(IWorldHost host)
    {
        _gauges = new EngineGauges[host.Endpoints];
        _tokens = new double[host.Endpoints];
        _unanswered = new int[host.Endpoints];
        _costs = new double[host.Endpoints];
    }

    protected override int Pick(WorldRequest request)
    {
        _promptTokens += request.PromptTokens;
        _prompts++;
        for (var i = 0; i < _costs.Length; i++)
        {
            var others = Math.Max(0, _gauges[i].Waiting - _unanswered[i]);
            var kv = Math.Min(MostKv, _gauges[i].KvUtilizationRatio);
            _costs[i] = ((_tokens[i] + (others * _promptTokens / _prompts)) / TokensPerSecond) + (KvWeight * kv / (1 - kv));
        }

        return Least(_costs);
    }

    protected override void OnSent(WorldRequest request, int endpoint)
    {
        _tokens[endpoint] += request.PromptTokens;
        _unanswered[endpoint]++;
    }
}
