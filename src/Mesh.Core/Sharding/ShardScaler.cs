namespace Mesh.Core.Sharding;

/// <summary>
/// Decides how many shards a pool has: twice as many when they have been busy for a while, half as many when they have been idle for longer, never outside the
/// bounds, and never before the last change has reached everybody. Run by shard 0. Not thread-safe.
/// </summary>
public sealed class ShardScaler(ShardingOptions options)
{
    private TimeSpan? _busySince;
    private TimeSpan? _idleSince;
    private TimeSpan? _changedAt;

    /// <summary>The map has changed, by this scaler or another: what was seen before says nothing any more.</summary>
    public void OnChanged(TimeSpan now) => (_changedAt, _busySince, _idleSince) = (now, null, null);

    /// <summary>Looks at the shards; call every few hundred milliseconds.</summary>
    /// <param name="map">The map in force.</param>
    /// <param name="busy">Share of its time that each shard's activation has worked lately, 0–1, by number; NaN for one that is not heard.</param>
    /// <param name="now">Now.</param>
    /// <returns>The number that there should be; the same number ends the moving; null to leave the map alone.</returns>
    public int? Observe(ShardMap map, ReadOnlySpan<double> busy, TimeSpan now)
    {
        var most = Math.Max(options.Shards, options.MostShards);
        if (_changedAt is { } changed && now - changed < options.MapAge) return null;
        if (map.IsMoving) return map.Count;
        if (map.Count < options.Shards || map.Count > most) return Math.Clamp(map.Count, options.Shards, most);
        if (!options.IsAutomatic || Mean(busy[..Math.Min(map.Count, busy.Length)]) is not { } mean)
        {
            (_busySince, _idleSince) = (null, null);
            return null;
        }

        _busySince = mean >= options.SplitAbove ? _busySince ?? now : null;
        _idleSince = mean <= options.JoinBelow ? _idleSince ?? now : null;
        if (map.Count < most && now - _busySince >= options.SplitAfter) return Math.Min(most, map.Count * 2);
        if (map.Count > options.Shards && now - _idleSince >= options.JoinAfter) return Math.Max(options.Shards, map.Count / 2);
        return null;
    }

    // One that is not heard may be overwhelmed, or its silo may be dead: nothing is decided without it.
    private static double? Mean(ReadOnlySpan<double> busy)
    {
        var sum = 0.0;
        foreach (var share in busy) sum += share;
        return busy.IsEmpty || double.IsNaN(sum) ? null : sum / busy.Length;
    }
}
