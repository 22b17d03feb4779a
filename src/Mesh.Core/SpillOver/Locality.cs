using System.Collections.Immutable;

namespace Mesh.Core.SpillOver;

/// <summary>Where the deciding gateway stands, and how far the regions are from it.</summary>
public sealed record Locality
{
    /// <summary>Own region; empty: no region is nearer than another, all count as local.</summary>
    public string Region { get; init; } = "";

    /// <summary>Own zone; empty: no zone is nearer.</summary>
    public string Zone { get; init; } = "";

    /// <summary>Round-trip times to other regions. A region that is missing is farther than all that are listed.</summary>
    public ImmutableSortedDictionary<string, TimeSpan> RoundTripTimes { get; init; } = ImmutableSortedDictionary<string, TimeSpan>.Empty;

    /// <summary>Round-trip time to <paramref name="region"/>: zero to the own one, <see cref="TimeSpan.MaxValue"/> where unknown.</summary>
    public TimeSpan RoundTripTo(string region)
    {
        if (Region.Length == 0 || region == Region) return TimeSpan.Zero;
        return RoundTripTimes.TryGetValue(region, out var time) ? time : TimeSpan.MaxValue;
    }
}
