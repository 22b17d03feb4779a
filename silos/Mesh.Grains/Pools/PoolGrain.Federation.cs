using Mesh.Core.Sharding;
using Mesh.Grains.Federation;

namespace Mesh.Grains.Pools;

// What the pool and the peers of its region tell each other, by way of the region's grain.
internal sealed partial class PoolGrain
{
    private PoolPeering? _peering;
    private string[] _regions = [];

    public ValueTask<PoolExchangeReply> ExchangePeers(PoolExchange call)
    {
        _peering ??= new PoolPeering(_id, region => GrainFactory.GetGrain<IRegionFederationGrain>(region), SetRegions);
        // Two activations of a pool must not grant the same room to peers, and a shard that is no more has none.
        var reply = _peering.Take(call, _isSuperseded || _member.IsRetired ? null : _host);
        return new ValueTask<PoolExchangeReply>(reply with { Shards = _member.Map });
    }

    /// <summary>Leases name regions that nobody may have told of yet: they are to count from the first moment on.</summary>
    private void Meet(Core.Leases.HeldLease[] held)
    {
        var met = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var lease in held)
        {
            if (lease.Region is { } region && !ShardName.TryParse(region, out _)) met.Add(region);
            if (lease.OriginRegion is { } origin && !ShardName.TryParse(origin, out _)) met.Add(origin);
        }

        met.ExceptWith(_regions);
        if (met.Count > 0) SetRegions([.. _regions, .. met]);
    }

    private void SetRegions(string[] regions)
    {
        _regions = regions;
        SetPeers();
    }
}
