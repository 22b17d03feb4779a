using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Fleets;

/// <summary>One request on its way through a fleet, with what the world alone knows of it. Objects are used again. Not thread-safe.</summary>
internal sealed class Traveller(WorldRequest request)
{
    /// <summary>The request as routers see it.</summary>
    public WorldRequest Request => request;

    /// <summary>Use of the object: an event of an earlier one is void.</summary>
    public int Version { get; set; }

    /// <summary>Endpoint that it was sent to, by its number in the whole fleet.</summary>
    public int FleetEndpoint { get; set; }

    /// <summary>Time from its gateway to that endpoint, and back, each.</summary>
    public double OneWayMs { get; set; }

    /// <summary>Its sequence, while it is in the engine.</summary>
    public SequenceHandle Sequence { get; set; }

    /// <summary>Whether the engine has it.</summary>
    public bool IsInEngine { get; set; }
}
