using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>
/// Dynamo's cost at temperature 0: the least <c>prefill blocks to compute + active decode blocks</c>, ties at random. The blocks to compute
/// are those of prompts sent there that have not answered, and of this one, less what KV events say is cached; active are the prompt
/// blocks of every request there that has not ended, and of this one.
/// </summary>
internal sealed class DynamoRouter(ulong seed) : PickerRouter(seed)
{
    private double[] _prefillTokens = [];
    private double[] _activeTokens = [];
    private double[] _costs = [];

    public override void OnFirstByte(WorldRequest request) => _prefillTokens[request.Endpoint] -= request.RouterAmount;

    public override void OnEnd(WorldRequest request) => _activeTokens[request.Endpoint] -= request.PromptTokens;

    protected override void OnStart(IWorldHost host)
    {
        _prefillTokens = new double[host.Endpoints];
        _activeTokens = new double[host.Endpoints];
        _costs = new double[host.Endpoints];
    }

    protected override int Pick(WorldRequest request)
    {
        for (var i = 0; i < _costs.Length; i++)
        {
            var uncached = request.PromptTokens - KvEvents.CachedTokens(Host.Engine(i), request);
            // The block size divides both terms alike, and this prompt's own active blocks are the same everywhere.
            _costs[i] = _prefillTokens[i] + uncached + _activeTokens[i];
        }

        return Least(_costs);
    }

    protected override void OnSent(WorldRequest request, int endpoint)
    {
        request.RouterAmount = request.PromptTokens - KvEvents.CachedTokens(Host.Engine(endpoint), request);
        _prefillTokens[endpoint] += request.RouterAmount;
        _activeTokens[endpoint] += request.PromptTokens;
    }
}
