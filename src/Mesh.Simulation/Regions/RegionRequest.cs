using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Simulation.Traces;

namespace Mesh.Simulation.Regions;

/// <summary>How a client's request came out.</summary>
internal enum RegionEnd
{
    /// <summary>Not yet.</summary>
    None,

    /// <summary>Answered.</summary>
    Served,

    /// <summary>Turned away with a reason.</summary>
    Refused,

    /// <summary>Its answer broke off.</summary>
    Broken,

    /// <summary>Its gateway died.</summary>
    LostWithGateway,
}

/// <summary>A client's request, as the gateway sees it that it came to.</summary>
internal sealed class RegionRequest
{
    private readonly HashSet<int> _triedRegions = [];

    public required long Number { get; init; }

    /// <summary>Region whose gateway it came to.</summary>
    public required int Home { get; init; }

    public required double ArrivedMs { get; init; }

    public required TraceRequest Row { get; init; }

    public int Priority { get; init; }

    /// <summary>Chained hashes of the prompt's full blocks.</summary>
    public ReadOnlyMemory<ulong> Chain { get; set; }

    /// <summary>Rises with every placement: what comes back from an earlier one does not count.</summary>
    public int Attempt { get; set; }

    /// <summary>Lease at home: on an endpoint or on a peer.</summary>
    public LeaseId Lease { get; set; }

    /// <summary>Region that it was forwarded to; −1 while it was not.</summary>
    public int ForwardedTo { get; set; } = -1;

    /// <summary>Ticket of its wait at home; 0 when it does not wait.</summary>
    public long Ticket { get; set; }

    public bool HasLease { get; set; }

    public double FirstByteMs { get; set; } = double.NaN;

    public double EndedMs { get; set; } = double.NaN;

    /// <summary>When it was last sent from home: to an endpoint there, or to a peer.</summary>
    public double LeftHomeMs { get; set; } = double.NaN;

    /// <summary>When it was sent to the endpoint that served it.</summary>
    public double PlacedMs { get; set; } = double.NaN;

    /// <summary>Endpoint that served it, among those of all regions; −1 before.</summary>
    public int Endpoint { get; set; } = -1;

    public RegionEnd End { get; set; }

    /// <summary>Why it was turned away.</summary>
    public DecisionReason Reason { get; set; }

    /// <summary>Region that served it.</summary>
    public int ServedBy { get; set; } = -1;

    public int CachedTokens { get; set; }

    /// <summary>Regions that refused or failed it.</summary>
    public IReadOnlyCollection<int> Tried => _triedRegions;

    /// <summary>Notes a region that refused or failed it; false when it had before.</summary>
    public bool Exclude(int region) => _triedRegions.Add(region);
}
