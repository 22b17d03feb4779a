using Mesh.Engine.Federation;

namespace Mesh.Gateway.Federation.Configuration;

/// <summary>
/// Who says to have the config cluster. A region claims it when the configuration that it goes by is of its own; what others pass on is no
/// claim. Two claims are a conflict, and neither is followed. Pure; not thread-safe.
/// </summary>
internal sealed class ConfigClaims(string ownRegion)
{
    private readonly SortedDictionary<string, ConfigTag> _peers = new(StringComparer.Ordinal);

    /// <summary>The own claim; null where the own region does not have the config cluster.</summary>
    public ConfigTag? Own { get; set; }

    /// <summary>A peer says what it goes by.</summary>
    /// <param name="region">Its region.</param>
    /// <param name="tag">What it says.</param>
    public void Hear(string region, ConfigTag tag)
    {
        if (tag.IsNone) _peers.Remove(region);
        else _peers[region] = tag;
    }

    /// <summary>Forgets what was said by regions that are no peers any more.</summary>
    public void Keep(IReadOnlyCollection<string> regions)
    {
        foreach (var region in _peers.Keys.Where(r => !regions.Contains(r)).ToArray()) _peers.Remove(region);
    }

    /// <summary>The two claims that contradict each other, in words; null when there is no conflict.</summary>
    public string? Conflict
    {
        get
        {
            ConfigTag? first = Own;
            foreach (var (region, tag) in _peers)
            {
                if (tag.Origin != region) continue;
                if (first is not null && (first.Origin != tag.Origin || first.Cluster != tag.Cluster))
                    return $"region {first.Origin} says that {first.Cluster} is the config cluster, region {tag.Origin} says that {tag.Cluster} is";
                first = tag;
            }

            return null;
        }
    }

    /// <summary>The configuration to fetch, and the region to ask; null when the current one is the newest, or nobody can be followed.</summary>
    /// <param name="current">What this region goes by.</param>
    public (string Region, ConfigTag Tag)? Newer(ConfigTag current)
    {
        if (Own is not null || Conflict is not null) return null;
        (string, ConfigTag)? passedOn = null;
        foreach (var (region, tag) in _peers)
        {
            if (tag.Origin == region) return tag.Hash == current.Hash ? null : (region, tag);
            // Without its region in sight, what others had of it last; the own region's old configuration is its own affair.
            var isNewer = current.IsNone || (tag.Origin == current.Origin && tag.Version > current.Version);
            if (isNewer && tag.Origin != ownRegion && (passedOn is not { } best || tag.Version > best.Item2.Version)) passedOn = (region, tag);
        }

        return passedOn;
    }
}
