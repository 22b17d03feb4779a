using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>A picker that counts its own requests in flight per endpoint, exactly.</summary>
internal abstract class InFlightRouter(ulong seed) : PickerRouter(seed)
{
    /// <summary>Requests in flight per endpoint.</summary>
    protected double[] InFlight { get; private set; } = [];

    public override void OnEnd(WorldRequest request) => InFlight[request.Endpoint]--;

    protected override void OnStart(IWorldHost host) => InFlight = new double[host.Endpoints];

    protected override void OnSent(WorldRequest request, int endpoint) => InFlight[endpoint]++;
}
