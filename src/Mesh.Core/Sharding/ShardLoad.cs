namespace Mesh.Core.Sharding;

/// <summary>How full a shard is, as a gateway sees it.</summary>
/// <param name="Requests">Requests in flight and waiting there: what the shard told last, and what this gateway has sent or ended since.</param>
/// <param name="Endpoints">Healthy endpoints there, 0 and up.</param>
public readonly record struct ShardLoad(double Requests, int Endpoints)
{
    // What the first shard for a prompt may be fuller by before another gets it: the prompt's beginning is cached there, and the figures are a little old.
    private const double MuchFullerRatio = 1.5;
    private const double MuchFullerRequests = 2;

    /// <summary>Requests for each endpoint; infinite without one.</summary>
    public double PerEndpoint => Endpoints <= 0 ? double.PositiveInfinity : Math.Max(0, Requests) / Endpoints;

    /// <summary>
    /// The shard that a request goes to: its first, unless that is much fuller than its second; and where both are much fuller than the emptiest of all, as when
    /// very many prompts begin alike, that one.
    /// </summary>
    /// <param name="map">The division.</param>
    /// <param name="key">Hash of what should stay together.</param>
    /// <param name="loads">The shards' loads, by number; at least as many as the map has.</param>
    public static int Choose(ShardMap map, ulong key, ReadOnlySpan<ShardLoad> loads)
    {
        var (first, second) = map.CandidatesFor(key);
        var chosen = loads[first].IsMuchFullerThan(loads[second]) ? second : first;
        var least = 0;
        for (var shard = 1; shard < map.Count; shard++)
        {
            if (loads[shard].PerEndpoint < loads[least].PerEndpoint) least = shard;
        }

        return loads[chosen].IsMuchFullerThan(loads[least]) ? least : chosen;
    }

    /// <summary>True when a request should rather go to the other.</summary>
    public bool IsMuchFullerThan(ShardLoad other) =>
        Endpoints <= 0 ? other.Endpoints > 0 : PerEndpoint > (MuchFullerRatio * other.PerEndpoint) + MuchFullerRequests;
}
