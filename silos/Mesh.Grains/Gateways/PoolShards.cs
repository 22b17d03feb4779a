using Mesh.Core.Config;
using Mesh.Core.Leases;
using Mesh.Core.Routing;
using Mesh.Core.Sharding;
using Mesh.Core.Snapshots;

namespace Mesh.Grains.Gateways;

/// <summary>
/// A gateway's way to one pool: a link to each of its shards, one for a pool that is not divided. Chooses the shard of each request, follows a request that one
/// shard sends on to another, and takes a new map over, whichever shard tells it: what is held goes with its endpoint. Thread-safe.
/// </summary>
internal sealed partial class PoolShards
{
    private readonly Lock _gate = new();
    private readonly LinkServices _services;
    private PoolConfig _config;
    private volatile Division _now;
    private long _counter;
    private bool _isClosed;

    public PoolShards(PoolConfig config, LinkServices services)
    {
        _config = config;
        _services = services;
        _now = new Division(ShardMap.Undivided, [new PoolLink(config, services, this, 0, ShardMap.Undivided)]);
    }

    /// <summary>The map in force here.</summary>
    public ShardMap Map => _now.Map;

    /// <summary>The links, by number of the shard.</summary>
    public IReadOnlyList<PoolLink> Links => _now.Links;

    /// <summary>What is known of the pool, all shards together.</summary>
    public PoolSnapshot Snapshot => ShardSnapshots.Sum([.. _now.Links.Select(l => l.View.Snapshot)]);

    /// <summary>Leases held.</summary>
    public int HeldLeases => _now.Links.Sum(l => l.HeldLeases);

    /// <summary>True while the gateway chooses by itself for some shard.</summary>
    public bool IsOnItsOwn => _now.Links.Any(l => l.IsOnItsOwn);

    /// <summary>Another configuration of the same pool.</summary>
    public void Reconfigure(PoolConfig config)
    {
        lock (_gate)
        {
            _config = config;
            foreach (var link in _now.Links) link.Reconfigure(PartOf(link.Shard, _now.Map));
        }
    }

    public void ReportFirstByte(LeaseId lease)
    {
        foreach (var link in _now.Links)
        {
            if (link.ReportFirstByte(lease)) return;
        }
    }

    public void Complete(LeaseId lease, in RequestOutcome outcome)
    {
        while (true)
        {
            var now = _now;
            foreach (var link in now.Links)
            {
                if (link.Complete(lease, in outcome)) return;
            }
            // While what is held goes from one link to another, it may be with neither: that is over before the next map is in force.
            lock (_gate)
            {
                if (ReferenceEquals(now, _now)) return;
            }
        }
    }

    /// <summary>What an endpoint told of its load beside an answer.</summary>
    public void ReportLoad(in Core.Endpoints.EndpointReport report)
    {
        var now = _now;
        now.Links[now.Map.OwnerOf(report.Endpoint)].ReportLoad(in report);
    }

    /// <summary>Gives signs of life.</summary>
    public void Keep()
    {
        foreach (var link in _now.Links) link.Keep();
    }

    /// <summary>The pool is not configured any more.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var link in _now.Links) link.Close();
        }
    }

    /// <summary>Ends once everything that the shards are to be told has been told.</summary>
    public Task FlushAsync(TimeSpan timeout) => Task.WhenAll(_now.Links.Select(l => l.FlushAsync(timeout)));

    /// <summary>A shard tells of a map. Not to be called under a link's lock.</summary>
    public void Take(ShardMap map)
    {
        if (map.Version <= _now.Map.Version || !map.IsValid) return;
        PoolLink[] retired;
        PoolLink[] links;
        lock (_gate)
        {
            var before = _now;
            if (map.Version <= before.Map.Version || _isClosed) return;

            // :: Step 1: links to the shards that there are now.
            links = new PoolLink[map.Count];
            for (var shard = 0; shard < links.Length; shard++)
            {
                links[shard] = shard < before.Links.Length ? before.Links[shard] : new PoolLink(PartOf(shard, map), _services, this, shard, map);
            }
            retired = before.Links[Math.Min(links.Length, before.Links.Length)..];

            // :: Step 2: what is held goes where its endpoint is. Each link knows the map from the moment when it gave away what is not its own.
            var moving = new List<HeldLease>();
            foreach (var link in before.Links) link.TakeMap(map, PartOf(link.Shard, map), moving);
            foreach (var group in moving.GroupBy(h => h.Region is null ? map.OwnerOf(h.Endpoint) : 0)) links[group.Key].TakeHeld([.. group]);
            _now = new Division(map, links);
        }

        // :: Step 3: who waits with a shard that is no more is asked elsewhere.
        foreach (var link in retired) link.Retire();
        if (!_services.Options.KeepsTime) return;
        foreach (var link in links) link.Keep();
    }

    // A part as the gateway would run it by itself: all that the map gives to the shard.
    private PoolConfig PartOf(int shard, ShardMap map) =>
        map is { Count: 1, IsMoving: false } ? _config : ShardParts.PartOf(_config, map.Count, e => map.OwnerOf(e) == shard);

    private sealed record Division(ShardMap Map, PoolLink[] Links);
}
