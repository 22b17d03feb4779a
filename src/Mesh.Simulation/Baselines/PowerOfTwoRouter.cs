using Mesh.Simulation.World;

namespace Mesh.Simulation.Baselines;

/// <summary>Of two different endpoints drawn at random, the one with fewer requests in flight; the first drawn where they are equal.</summary>
internal sealed class PowerOfTwoRouter(ulong seed) : InFlightRouter(seed)
{
    protected override int Pick(WorldRequest request)
    {
        if (Host.Endpoints == 1) return 0;
        var first = Random.NextInt32(Host.Endpoints);
        var second = (first + 1 + Random.NextInt32(Host.Endpoints - 1)) % Host.Endpoints;
        return InFlight[second] < InFlight[first] ? second : first;
    }
}
