namespace Mesh.Simulation.World;

/// <summary>What an event does; the meaning of its two numbers is told with each.</summary>
internal enum EventKind
{
    /// <summary>The next request of the trace comes to its gateway.</summary>
    Arrival,

    /// <summary>A request reaches its endpoint: slot of the request, version of its use.</summary>
    Delivery,

    /// <summary>An engine's step, or run of steps, ends: version of the run, endpoint.</summary>
    StepEnd,

    /// <summary>The first token reaches the gateway: slot of the request, version of its use.</summary>
    FirstByte,

    /// <summary>The last token reaches the gateway: slot of the request, version of its use.</summary>
    LastByte,

    /// <summary>A region's router reads an endpoint's gauges: region, number of the endpoint in it.</summary>
    Scrape,

    /// <summary>A further reading of a crowded endpoint between two turns: region, number of the endpoint in it.</summary>
    CrowdedScrape,

    /// <summary>A region's router asked for this moment: version of the asking, region.</summary>
    Wake,

    /// <summary>Gauges that were read elsewhere reach a region's gateway: region, endpoint.</summary>
    ScrapeAnswer,

    /// <summary>A request has taken as long as it may: slot of the request, version of its use.</summary>
    Deadline,
}

/// <summary>One event to come.</summary>
/// <param name="TimeMs">Virtual time.</param>
/// <param name="Sequence">Order among events of one time: as they were added.</param>
/// <param name="Kind">What happens.</param>
/// <param name="First">First number of the kind.</param>
/// <param name="Second">Second number of the kind.</param>
internal readonly record struct WorldEvent(double TimeMs, long Sequence, EventKind Kind, int First, int Second)
{
    /// <summary>Whether this one comes first; no two events are equal.</summary>
    public bool IsBefore(in WorldEvent other) => TimeMs < other.TimeMs || (TimeMs == other.TimeMs && Sequence < other.Sequence);
}
