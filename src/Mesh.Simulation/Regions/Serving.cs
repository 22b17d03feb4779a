using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Model;
using Mesh.Simulation.World;

namespace Mesh.Simulation.Regions;

/// <summary>One placement of a request in the region that serves it: at home, or where it was forwarded to.</summary>
internal sealed class Serving(int slot)
{
    public required RegionRequest Request { get; init; }

    /// <summary>Which placement of the request this is.</summary>
    public required int Attempt { get; init; }

    public required int Region { get; init; }

    /// <summary>Run of the region that took it.</summary>
    public required int Run { get; init; }

    /// <summary>Why home sent it here; None for a request of this region's own.</summary>
    public DecisionReason OriginReason { get; init; }

    /// <summary>Epoch of home's pool that sent it.</summary>
    public long OriginEpoch { get; init; }

    public bool IsForwarded => Request.Home != Region;

    /// <summary>The request as engines and forecasts know it.</summary>
    public WorldRequest World { get; } = new(slot);

    public LeaseId Lease { get; set; }

    public bool HasLease { get; set; }

    public long Ticket { get; set; }

    public int Endpoint { get; set; } = -1;

    public SequenceHandle Sequence { get; set; }

    public bool IsInEngine { get; set; }

    /// <summary>True once its first token is there.</summary>
    public bool HasBegun { get; set; }

    public bool IsOver { get; set; }
}
