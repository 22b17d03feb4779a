using Mesh.Core.Config;
using Mesh.Core.Endpoints;
using Mesh.Core.Sharding;
using Mesh.Grains.Contracts;
using Mesh.Grains.Hosting;

namespace Mesh.Grains.Shards;

/// <summary>
/// What one shard's grain knows of its pool's division: the map, which endpoints it may use, how busy the shards are, and who has been heard. A pool that is not
/// divided is shard 0 of one. Not thread-safe: the grain's turns alone use it.
/// </summary>
internal sealed class ShardMember
{
    // A new shard 0 has heard of a map by then, from gateways and other shards, if there was one.
    private static readonly TimeSpan QuietAtFirst = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan BusyCounts = TimeSpan.FromSeconds(1);
    private readonly SiloMesh _mesh;
    private readonly ShardOwnership _ownership;
    private readonly ShardScaler _scaler;
    private readonly BusyMeter _meter;
    private readonly double[] _busy = new double[ShardMap.Most];
    private readonly long?[] _heardAt = new long?[ShardMap.Most];
    private readonly long[] _sequences = new long[ShardMap.Most];

    public ShardMember(int shard, SiloMesh mesh, ShardingOptions options, TimeSpan now)
    {
        _mesh = mesh;
        Options = options;
        _ownership = new ShardOwnership(shard, Options.Patience);
        _scaler = new ShardScaler(Options);
        _scaler.OnChanged(now - Options.MapAge + QuietAtFirst);
        _meter = new BusyMeter(mesh.Time);
    }

    public ShardingOptions Options { get; }

    public int Shard => _ownership.Shard;

    public ShardMap Map => _ownership.Map;

    public bool IsRetired => _ownership.IsRetired;

    /// <summary>True while the pool has more than this one shard.</summary>
    public bool IsDivided => Map.Count > 1;

    /// <summary>Share of its time that the grain works.</summary>
    public double Busy => _meter.Share;

    /// <summary>True when requests may be placed there from here.</summary>
    public bool Owns(EndpointId endpoint) => _ownership.Owns(endpoint);

    /// <summary>The part of the pool that runs here now.</summary>
    public PoolConfig PartOf(PoolConfig pool) => Shard == 0 && Map is { Count: 1, IsMoving: false } ? pool : ShardParts.PartOf(pool, Map.Count, _ownership.Owns);

    /// <summary>Takes a newer map; false for any other.</summary>
    public bool TryAdopt(ShardMap map, TimeSpan now)
    {
        var before = Map.Count;
        if (!_ownership.TryAdopt(map, now)) return false;
        if (map.Count != before) _scaler.OnChanged(now);
        for (var shard = map.Count; shard < ShardMap.Most; shard++) _heardAt[shard] = null;
        return true;
    }

    /// <summary>True while endpoints that the map gives it have not come.</summary>
    public bool IsAwaiting => _ownership.IsAwaiting;

    /// <summary>Takes over the map of its own activation before this one.</summary>
    /// <param name="map">The map.</param>
    /// <param name="hadAll">True when that had every endpoint that the map gives it.</param>
    /// <param name="now">Now.</param>
    public void Resume(ShardMap map, bool hadAll, TimeSpan now)
    {
        if (_ownership.TryAdopt(map, now) && hadAll) _ownership.Tick(TimeSpan.MaxValue);
    }

    /// <summary>Another shard hands endpoints over.</summary>
    public bool TryTake(ShardHandover handover) => _ownership.TryTake(handover.From, handover.Map.Version);

    /// <summary>True when what was awaited of other shards is awaited no longer.</summary>
    public bool EndsWaiting(TimeSpan now) => _ownership.Tick(now);

    /// <summary>When a turn begins, for <see cref="EndTurn"/>; 0 where nobody asks how busy the grain is.</summary>
    public long BeginTurn() => Options.IsAutomatic ? _mesh.Time.GetTimestamp() : 0;

    /// <summary>The turn ends.</summary>
    public void EndTurn(long began)
    {
        if (began != 0) _meter.End(began);
    }

    /// <summary>The map that should come after this one; null to leave it. Shard 0 decides.</summary>
    public ShardMap? Decide(long epoch, TimeSpan now)
    {
        if (Shard != 0) return null;
        _busy[0] = Busy;
        for (var shard = 1; shard < Map.Count; shard++)
        {
            if (_heardAt[shard] is not { } at || _mesh.Time.GetElapsedTime(at) > BusyCounts) _busy[shard] = double.NaN;
        }
        return _scaler.Observe(Map, _busy, now) is { } count ? Map.Next(count, epoch) : null;
    }

    /// <summary>Another shard was heard.</summary>
    public void Hear(ShardNews news)
    {
        _heardAt[news.From] = _mesh.Time.GetTimestamp();
        _busy[news.From] = news.Busy;
    }

    /// <summary>Time since another shard was heard; null when it never was.</summary>
    public TimeSpan? SinceHeard(int shard) => _heardAt[shard] is { } at ? _mesh.Time.GetElapsedTime(at) : null;

    /// <summary>Number of the next report to a shard.</summary>
    public long NextSequence(int shard) => ++_sequences[shard];
}
