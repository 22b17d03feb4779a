namespace Mesh.Simulation.Regions;

/// <summary>What happens in a world of regions.</summary>
internal enum RegionEventKind
{
    /// <summary>The next client's request.</summary>
    Arrival,

    /// <summary>A forwarded request gets to the peer's gateway, or tries to: request, attempt, peer.</summary>
    PeerArrival,

    /// <summary>A placed request gets to its endpoint: serving.</summary>
    Delivery,

    /// <summary>An engine's step ends: engine, version of the run.</summary>
    StepEnd,

    /// <summary>The first token gets to the gateway of the region that serves: serving.</summary>
    FirstByte,

    /// <summary>The last token gets there: serving.</summary>
    LastByte,

    /// <summary>A peer's gateway answers home, or tries to: answer.</summary>
    AnswerLeaves,

    /// <summary>The answer gets home.</summary>
    AnswerArrives,

    /// <summary>A region's reports are due: region, its run.</summary>
    ReportsDue,

    /// <summary>A report gets to a peer.</summary>
    ReportArrives,

    /// <summary>A region asked for this moment: region, version of the asking.</summary>
    Wake,

    /// <summary>Gauges of a region's endpoints are read: region.</summary>
    Scrape,

    /// <summary>Home looks whether the peer that has its request can still be relied upon: request, attempt.</summary>
    Watch,

    /// <summary>A fault begins or ends.</summary>
    Fault,
}

/// <summary>One thing to come.</summary>
/// <param name="Kind">What.</param>
/// <param name="First">First number of the kind.</param>
/// <param name="Second">Second number of the kind.</param>
/// <param name="Subject">Whose.</param>
internal readonly record struct RegionEvent(RegionEventKind Kind, int First, int Second, object? Subject);

/// <summary>What a peer's gateway tells home of one placement.</summary>
/// <param name="Request">The request.</param>
/// <param name="Attempt">Which placement.</param>
/// <param name="From">Region that answers.</param>
/// <param name="Kind">What it tells.</param>
internal sealed record PeerAnswer(RegionRequest Request, int Attempt, int From, PeerAnswerKind Kind)
{
    /// <summary>Prompt tokens that were cached.</summary>
    public int CachedTokens { get; init; }

    /// <summary>When it was first tried to be sent.</summary>
    public double LeftMs { get; init; }
}

/// <summary>Kinds of answers.</summary>
internal enum PeerAnswerKind
{
    /// <summary>Has no place for it.</summary>
    Refused,

    /// <summary>The answer begins.</summary>
    FirstByte,

    /// <summary>The answer is complete.</summary>
    LastByte,

    /// <summary>The connection broke.</summary>
    Failed,
}
