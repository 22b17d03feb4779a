using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>The endpoint with the fewest requests in flight of all, ties at random.</summary>
internal sealed class LeastRequestRouter(ulong seed) : InFlightRouter(seed)
{
    protected override int Pick(WorldRequest request) => Least(InFlight);
}
