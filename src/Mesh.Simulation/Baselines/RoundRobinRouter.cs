using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>Each endpoint in turn.</summary>
internal sealed class RoundRobinRouter(ulong seed) : PickerRouter(seed)
{
    private int _next;

    protected override int Pick(WorldRequest request)
    {
        var endpoint = _next;
        _next = (_next + 1) % Host.Endpoints;
        return endpoint;
    }
}
