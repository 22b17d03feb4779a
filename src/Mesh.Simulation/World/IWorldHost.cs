using Mesh.Simulation.Model;

namespace Mesh.Simulation.World;

/// <summary>What the world offers to the router of one region. Endpoints are numbered from 0 within the region.</summary>
internal interface IWorldHost
{
    /// <summary>The virtual clock.</summary>
    VirtualClock Clock { get; }

    /// <summary>Endpoints of the region.</summary>
    int Endpoints { get; }

    /// <summary>Time from gateway to endpoint, one way, in ms.</summary>
    double LatencyMs { get; }

    /// <summary>The engine itself: for what its server publishes (sizes, KV events), and for routers that are said to know everything.</summary>
    VllmEngine Engine(int endpoint);

    /// <summary>Sends a request that the router holds to an endpoint.</summary>
    void Send(WorldRequest request, int endpoint);

    /// <summary>Turns a request away that the router holds.</summary>
    void Refuse(WorldRequest request);

    /// <summary>Asks for a call at a time; the earliest that was asked for since the last call counts.</summary>
    void WakeAt(double timeMs);
}
