using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>Least predicted cost, sent at once; the reference for the production core's own.</summary>
internal sealed class StudyEarlyRouter(ulong seed, double pushedStreamMs = 200, bool exactCache = true) : PickerRouter(seed)
{
    private StudyCost? _cost;
    private StudyChoice _choice;

    public override void OnFirstByte(WorldRequest request) => _cost!.Endpoints[request.Endpoint].Answer(request, Host.Clock.NowMs);

    public override void OnEnd(WorldRequest request) => _cost!.Endpoints[request.Endpoint].End(request, Host.Clock.NowMs);

    protected override void OnStart(IWorldHost host) => _cost = new StudyCost(host, pushedStreamMs, exactCache);

    protected override int Pick(WorldRequest request)
    {
        _cost!.Refresh();
        _choice = _cost.Cheapest(request);
        return _choice.Endpoint;
    }

    protected override void OnSent(WorldRequest request, int endpoint) =>
        _cost!.Send(request, in _choice);
}
