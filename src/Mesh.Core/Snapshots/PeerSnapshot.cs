using Mesh.Core.Regions.Links;

namespace Mesh.Core.Snapshots;

/// <summary>A peer region as one pool sees it.</summary>
/// <param name="Region">The peer.</param>
/// <param name="State">How far it can be relied upon.</param>
public sealed record PeerSnapshot(string Region, PeerLinkState State)
{
    /// <summary>Round trip as measured last; null when it never was.</summary>
    public TimeSpan? RoundTrip { get; init; }

    /// <summary>Time since its last report; null before the first.</summary>
    public TimeSpan? ReportAge { get; init; }

    /// <summary>Requests that may still be sent there before its next report; below 1 none is.</summary>
    public double Credits { get; init; }

    /// <summary>Requests forwarded there that have not ended.</summary>
    public int InFlight { get; init; }

    /// <summary>Requests that came from there and are in flight here.</summary>
    public int Hosted { get; init; }

    /// <summary>Requests forwarded there since the start.</summary>
    public long Forwarded { get; init; }

    /// <summary>Those of them that it refused.</summary>
    public long Refused { get; init; }

    /// <summary>Requests received from there since the start, refused ones included.</summary>
    public long Received { get; init; }

    /// <summary>Its endpoints of the pool.</summary>
    public int Endpoints { get; init; }

    /// <summary>Those of them that are healthy.</summary>
    public int Healthy { get; init; }

    /// <summary>Fullness of its fullest tier: 1 is at target; null without a target.</summary>
    public double? Fullness { get; init; }

    /// <summary>Predicted wait of its least loaded endpoint, in milliseconds, what was sent since the report included; infinite when unknown.</summary>
    public double WaitMs { get; init; } = double.PositiveInfinity;
}
