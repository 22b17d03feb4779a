using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>Any endpoint, all equally likely.</summary>
internal sealed class RandomRouter(ulong seed) : PickerRouter(seed)
{
    protected override int Pick(WorldRequest request) => Random.NextInt32(Host.Endpoints);
}
