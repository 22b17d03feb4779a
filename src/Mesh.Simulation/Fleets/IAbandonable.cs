using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>A router that is told apart from <see cref="Baselines.IWorldRouter.OnEnd"/> when a request is given up before its answer is complete.</summary>
internal interface IAbandonable
{
    /// <summary>The gateway gives a request up: its time is over, or its endpoint did not take it.</summary>
    /// <param name="request">The request; its stage tells how far it has come.</param>
    /// <param name="isRefusedByEndpoint">True when the endpoint refused it.</param>
    void OnAbandoned(WorldRequest request, bool isRefusedByEndpoint);
}
