using System.Collections.Immutable;

namespace Mesh.Core.Regions.Reports;

/// <summary>
/// What one region tells one of its peers, every <see cref="RegionOptions.ReportInterval"/> and at once on a big change. Immutable. The credits in it are the
/// receiver's own, so that each peer gets another report.
/// </summary>
public sealed record RegionReport
{
    /// <summary>Region that sends it.</summary>
    public required string Region { get; init; }

    /// <summary>Rises with every start of the sender: reports of an earlier one are passed over.</summary>
    public required long Instance { get; init; }

    /// <summary>Rises by one with every report of this instance to this receiver, from 1.</summary>
    public required long Sequence { get; init; }

    /// <summary>The sender's monotonic clock when it was made: only good for differences between reports. Receivers judge age by their own clock alone.</summary>
    public TimeSpan SentAt { get; init; }

    /// <summary>How long ago, by its own clock, the sender has heard of the receiver; null when never. Tells a receiver that its own half of the link is dead.</summary>
    public TimeSpan? HeardAge { get; init; }

    /// <summary>Version of the configuration that the sender runs by.</summary>
    public long ConfigVersion { get; init; }

    /// <summary>Version of the sender's software; empty when it does not tell.</summary>
    public string SoftwareVersion { get; init; } = "";

    /// <summary>One part for each pool, ordered by id.</summary>
    public ImmutableArray<PoolReport> Pools { get; init; } = [];
}
